/** Jest: TypeScript through ts-jest (types are checked by `npm run typecheck`), two at a time, each with an embedded kernel of its own; test/windows runs in Windows. */
// Node.js edits no line on a terminal that is dumb: the prompt's tests have another. It asks the process itself, which the tests cannot reach.
if (process.env.TERM === 'dumb') process.env.TERM = 'xterm'

module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/windows/', '<rootDir>/test/vm/windows/'],
  transform: { '\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json', diagnostics: false }] },
  maxWorkers: 2,
}

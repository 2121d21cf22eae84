/** Jest: TypeScript through ts-jest (types are checked by `npm run typecheck`), two at a time, each with an embedded kernel of its own; test/windows runs in Windows. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['<rootDir>/test/windows/', '<rootDir>/test/vm/windows/'],
  transform: { '\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json', diagnostics: false }] },
  maxWorkers: 2,
}

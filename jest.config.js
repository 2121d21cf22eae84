/** Jest: TypeScript through ts-jest (types are checked by `npm run typecheck`), one worker, since the machine has one embedded kernel per process. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: { '\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json', diagnostics: false }] },
  maxWorkers: 2,
}

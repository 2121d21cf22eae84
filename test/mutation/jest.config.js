/** For `npm run mutate:ts`: the suites that run the library in their own process, from its sources, and that are quick. */
const base = require('../../jest.config.js')

module.exports = {
  ...base,
  rootDir: '../..',
  transform: { '\\.ts$': '<rootDir>/test/mutation/transform.cjs' },
  setupFilesAfterEnv: ['<rootDir>/test/mutation/coverage.cjs'],
  testTimeout: 20_000,
  testMatch: [
    '<rootDir>/test/unit/!(abi|memory|modules|types|workers).test.ts',
    '<rootDir>/test/contract/memory.test.ts',
    '<rootDir>/test/jest/{set-up,stream-matchers,waiting-matchers}.test.ts',
    '<rootDir>/test/report/model.test.ts',
    '<rootDir>/test/conformance/{describe,ending,formats}.test.ts',
    '<rootDir>/test/cli/{commands,doctor,driver,driver-image,event-log,program,selftest,shell}.test.ts',
    '<rootDir>/test/fuzz/codec.test.ts',
  ],
}

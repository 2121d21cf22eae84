/** For Stryker: the facade's suites that run in one process, from the sources. */
const base = require('../../jest.config.js')

module.exports = {
  ...base,
  rootDir: '../..',
  testMatch: [
    '<rootDir>/test/unit/(arguments|path|errors|memory|json).test.ts',
    '<rootDir>/test/contract/memory.test.ts',
  ],
}

/** For Stryker: the facade's quick suites, on the embedded kernel. */
const base = require('../../jest.config.js')

module.exports = {
  ...base,
  rootDir: '../..',
  testMatch: [
    '<rootDir>/test/unit/(arguments|path|filter|errors|memory|opening|iterators|faults|json).test.ts',
    '<rootDir>/test/contract/memory.test.ts',
  ],
}

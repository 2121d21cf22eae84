/** For Stryker: the suites of the facade that look at what goes into a request and comes out of a reply, in one process, from the sources. */
const base = require('../../jest.config.js')

module.exports = {
  ...base,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/unit/(arguments|path|errors).test.ts'],
}

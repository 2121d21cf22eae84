/** For `npm run mutate:ts`: which mutants a suite runs, where Stryker's instrumentation has counted them; into the file that PSCTX_MUTANTS_RUN names. */
const { writeFileSync } = require('node:fs')

const path = process.env.PSCTX_MUTANTS_RUN

if (path) {
  globalThis.afterAll(() => {
    writeFileSync(path, JSON.stringify(Object.keys(globalThis.__stryker__?.mutantCoverage?.static ?? {})))
  })
}

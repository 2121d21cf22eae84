/** A transformer for Jest by esbuild: the instrumented sources are many times the size of those they are made of, and types are of no use to a mutant. */
const { createHash } = require('node:crypto')

const { transformSync, version } = require('esbuild')

module.exports = {
  getCacheKey: (source, path) => createHash('sha256').update(version).update(path).update(source).digest('hex'),
  process: (source, path) => ({
    code: transformSync(source, {
      sourcefile: path,
      loader: 'ts',
      format: 'cjs',
      target: 'node20',
      sourcemap: 'inline',
    }).code,
  }),
}

// Compiles the entries to one CommonJS file each. An entry stays a file of its own for the others, so that what it defines is there once.
import { relative, dirname, join, sep } from 'node:path'

import { build } from 'esbuild'

import { CommandError, root } from '../run.mjs'
import { manifest } from './entries.mjs'

const source = join(root, 'src')
const dist = join(root, 'dist')

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  external: Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
  supported: { 'dynamic-import': false }, // what is loaded later is CommonJS too, and import() would scan it for names
  legalComments: 'none', // the notices of what is bundled are in dist/THIRD-PARTY-NOTICES.txt
  logLevel: 'warning',
  metafile: true,
}

/** Leaves imports of the other entries to Node.js. */
function keepEntries(name, entries) {
  const files = new Map(entries.map((entry) => [join(source, `${entry}.ts`), join(dist, `${entry}.js`)]))
  const directory = dirname(join(dist, name))
  return {
    name: 'entries',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^\./ }, async ({ path, kind, resolveDir, pluginData }) => {
        if (kind === 'entry-point' || pluginData === 'resolved') return undefined
        const { path: module } = await resolve(path, { kind, resolveDir, pluginData: 'resolved' })
        const file = files.get(module)
        if (file === undefined) return undefined
        const request = relative(directory, file).replaceAll(sep, '/')
        return { path: request.startsWith('.') ? request : `./${request}`, external: true }
      })
    },
  }
}

/** The modules of src and of packages that went into an entry's file. */
async function bundle(name, entries) {
  const { metafile } = await build({
    ...common,
    entryPoints: [join(source, `${name}.ts`)],
    outfile: join(dist, `${name}.js`),
    format: 'cjs',
    sourcemap: true,
    plugins: [keepEntries(name, entries)],
  })
  return Object.keys(metafile.inputs)
}

/** The modules of src that went into several files, each with the names of those. */
function findShared(inputs) {
  const users = new Map()
  for (const [name, modules] of inputs) {
    for (const module of modules.filter((path) => path.startsWith('src/'))) {
      const key = module.slice('src/'.length, -'.ts'.length)
      users.set(key, [...(users.get(key) ?? []), name])
    }
  }
  return [...users].filter(([, names]) => names.length > 1)
}

/**
 * Writes the bundles, and returns the modules in those that are shipped. What the entries of a room share becomes a file
 * of its own; the library is one file.
 */
export async function writeBundles(entries) {
  const inputs = await Promise.all(entries.map(async (name) => [name, await bundle(name, entries)]))
  const shared = findShared(inputs)
  const rooms = new Set(entries.map(dirname).filter((room) => room !== '.'))
  for (const [module, names] of shared) {
    if (!rooms.has(dirname(module))) {
      throw new CommandError(
        `src/${module}.ts would be in ${names.map((name) => `dist/${name}.js`).join(' and ')}: import it through an entry.`,
      )
    }
  }
  if (shared.length > 0) return writeBundles([...entries, ...shared.map(([module]) => module)])
  return new Set(inputs.filter(([name]) => name !== 'demo').flatMap(([, modules]) => modules))
}

/** What an entry exports at run time. */
export async function exportsOf(name) {
  const { metafile } = await build({
    ...common,
    entryPoints: [join(source, `${name}.ts`)],
    outdir: dist,
    format: 'esm',
    packages: 'external',
    write: false,
  })
  return Object.values(metafile.outputs)[0].exports
}

// The text of dist/THIRD-PARTY-NOTICES.txt: the licences of what is linked into the addons, and of the packages whose code the bundles of dist hold.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../run.mjs'

/** The directories of the packages that these modules belong to. */
function packagesOf(modules) {
  const found = new Set()
  for (const module of modules) {
    const [directory] = module.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []
    if (directory !== undefined) found.add(directory)
  }
  return [...found].sort()
}

function notice(directory) {
  const { name, version, license, author } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))
  const file = readdirSync(join(root, directory)).find((entry) => /^licen[cs]e/i.test(entry))
  const holder = typeof author === 'object' ? author.name : author
  const text =
    file === undefined ? `${license} licence. ${holder ?? ''}` : readFileSync(join(root, directory, file), 'utf8')
  return `${name} ${version}\n\n${text.trim()}\n`
}

/** The text, for these modules. */
export function notices(modules) {
  const linked = readFileSync(join(root, 'binding', 'NOTICES.txt'), 'utf8')
  const line = `\n${'-'.repeat(80)}\n\n`
  return [linked, ...['node_modules/node-addon-api', ...packagesOf(modules)].map(notice)].join(line)
}

/** Where the documents' links lead. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

import { documents, root } from './markdown'

const byPath = new Map(documents.map((document) => [document.path, document]))

/** What is wrong with a link, or undefined. Other machines are not asked. */
function findFault(path: string, target: string): string | undefined {
  if (/^[a-z]+:/i.test(target)) {
    return /^https:\/\/[\w.-]+\.[a-z]+(\/|$)/.test(target) && URL.canParse(target) ? undefined : 'is no address'
  }
  const [file = '', anchor] = target.split('#')
  const led = file === '' ? path : relative(root, join(root, dirname(path), decodeURIComponent(file)))
  if (led.startsWith('..')) return 'leads out of the checkout'
  if (!existsSync(join(root, led))) return 'leads nowhere'
  if (anchor === undefined) return undefined
  const document = byPath.get(led)
  if (document === undefined) return 'has an anchor in what is no document'
  return document.anchors.has(anchor) ? undefined : 'has an anchor that is not there'
}

test('every link leads somewhere', () => {
  const faults = documents.flatMap(({ path, targets }) =>
    targets.flatMap((target) => {
      const fault = findFault(path, target)
      return fault === undefined ? [] : [`${path}: ${target} ${fault}`]
    }),
  )
  expect(faults).toEqual([])
})

test('every document is reached from README.md', () => {
  const reached = new Set<string>()
  const follow = (path: string): void => {
    const document = byPath.get(path)
    if (reached.has(path) || document === undefined) return
    reached.add(path)
    for (const target of document.targets) {
      if (/^[a-z]+:/i.test(target)) continue
      const led = relative(root, join(root, dirname(path), target.split('#')[0]!))
      const isDirectory = existsSync(join(root, led)) && statSync(join(root, led)).isDirectory()
      follow(isDirectory ? join(led, 'README.md') : led)
    }
  }
  follow('README.md')
  expect(documents.map(({ path }) => path).filter((path) => !reached.has(path))).toEqual([])
})

test('no document names what only its authors have', () => {
  for (const { path } of documents) {
    expect(readFileSync(join(root, path), 'utf8')).not.toMatch(/\/work\/|\/home\/|\/root\//)
  }
})

// docs/support.md: a table of file systems, made of the runs of `psctx conformance --json` in docs/support. Another directory than docs/ may be given.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'

import { root } from './run.mjs'

const { conformanceChecks, markdownHead, toMarkdown } = createRequire(import.meta.url)(
  join(root, 'dist', 'conformance', 'index.js'),
)

const runs = join(root, 'docs', 'support')

/** A run's row, whose first column leads to the run. */
function rowOf(file) {
  const lines = readFileSync(join(runs, file), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const { summary } = lines.pop()
  const name = `[${summary.fileSystem}, ${basename(file, '.ndjson')}](support/${file})`
  return toMarkdown(lines, { ...summary, fileSystem: name })
}

const rows = readdirSync(runs)
  .filter((file) => file.endsWith('.ndjson'))
  .sort()
  .map(rowOf)

const checks = conformanceChecks.map(
  ({ id, sentence, documentation }) => `| \`${id}\` | ${sentence} | [page](${documentation}) |`,
)

const text = `# File systems

Which file systems keep their promises to filters: real runs of \`psctx conformance\`, each with its evidence behind the link. Made by
\`node scripts/support.mjs\`.

${[markdownHead, ...rows].join('\n')}

A cell says how many checks passed of those that could judge, which failed, for which there is nothing here (no sparse files, say), and which
could not judge. \`kept\` and \`late\` are no failures: the file system keeps a stream that nobody has open, and finds it again, or takes its time.
The rows of the embedded kernel are about its own file systems, \`HostMemory\` and \`HostDirectory\`, which is above the file system that is named.
There is no row of Windows yet: nobody has run it there.

## Add a row

On the machine whose file system it is, with the driver running, in a directory on a volume that nothing else uses:

\`\`\`bat
npx psctx conformance E:\\ --seconds 60 --dismount --yes --json > ntfs.ndjson
\`\`\`

Put the file, under a name that says what was run, into \`docs/support\`, and make the table:

\`\`\`sh not run: it writes this file
node scripts/support.mjs
\`\`\`

Everything that the checks make is in one new directory, which is removed. \`--dismount\` takes the volume from every program; leave it out where
that is not wanted.

## The checks

| check | what is promised | where |
| --- | --- | --- |
${checks.join('\n')}
`

writeFileSync(join(resolve(process.argv[2] ?? join(root, 'docs')), 'support.md'), text)

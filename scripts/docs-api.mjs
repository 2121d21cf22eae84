// docs/api: the reference of the package's entry points, made of their sources. What has no description is an error.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { Application, ReflectionKind, UnionType } from 'typedoc'

import { CommandError, root } from './run.mjs'

/** The sources of the package's entry points: `.` is src/index.ts, `./name` is src/name/index.ts. */
function findEntryPoints() {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return Object.keys(exports)
    .map((path) => join('src', path, 'index.ts'))
    .filter((path) => existsSync(join(root, path)))
}

/** Lists what is said of each member of a union of names: the reference's pages would leave it out. */
function tellMembers(project) {
  for (const { type, comment } of project.getReflectionsByKind(ReflectionKind.TypeAlias)) {
    if (!(type instanceof UnionType) || type.types.some((member) => member.type !== 'literal')) continue
    for (const [index, summary] of (type.elementSummaries ?? []).entries()) {
      comment.summary.push({ kind: 'text', text: `\n\n- \`${type.types[index]}\`: ` }, ...summary)
    }
  }
}

/** Writes the reference into a directory. */
export async function writeApi(directory) {
  const application = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: findEntryPoints().map((path) => join(root, path)),
    tsconfig: join(root, 'tsconfig.build.json'),
    name: 'per-stream-context',
    readme: 'none',
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    // What Error and its like have is told by those who made them.
    excludeExternals: true,
    // Tables of values, of which nothing but the keys are told.
    intentionallyNotExported: ['statuses'],
    validation: { notDocumented: true, notExported: true, invalidLink: true, invalidPath: true },
    treatWarningsAsErrors: true,
    logLevel: 'Warn',
    // npm run typecheck does that.
    skipErrorChecking: true,
    hideGenerator: true,
    hideBreadcrumbs: true,
    // The title of a page is a symbol's name.
    pageTitleTemplates: { member: ({ name }) => name },
    outputs: [{ name: 'markdown', path: directory }],
  })
  const project = await application.convert()
  if (project !== undefined) application.validate(project)
  if (project === undefined || application.logger.hasErrors() || application.logger.hasWarnings()) {
    throw new CommandError('The reference cannot be made: see above.')
  }
  tellMembers(project)
  await application.generateOutputs(project)
}

// Makes docs/performance.md, and README's line about it, of a recorded run.

/** The parts of a run, in their order: what is said before the table, and what its columns are called. */
const sections = [
  {
    part: 'operations',
    title: 'Operations',
    columns: ['operation', 'through', 'ns'],
    text: `One process, in which every contender has a session, handles and contexts of its own on the same streams, and goes over them in the same
order, never where another has just been. \`addon\` is its bare function, with requests encoded by hand; \`facade\` is the package; koffi calls the C
function that bare C is. Rounds are interleaved; a time is the median of the rounds, a ratio the median of the rounds' own ratios to bare C.

\`lookupInto\` with a caller's buffer is the fast way to look up one context, a \`Batch\` with \`resultInto\` the fast way to look up many; \`lookup\`
pays for the object it returns. Everything waits for nothing, so that all of it is synchronous.`,
  },
  {
    part: 'iterators',
    title: 'Iterators',
    columns: ['what', 'through', 'ns'],
    text: `The baselines are the same contexts in the addon's pages, undecoded, and the same insertions and removals with nobody to tell.`,
  },
  {
    part: 'start',
    title: 'Starting',
    columns: ['what', '', 'value'],
    text: `Each time in a process of its own, medians; and how much C++ the addon takes.`,
  },
  {
    part: 'lines',
    title: 'Lines of the cache',
    columns: ['misses of a look-up among 100,000 streams', '', 'lines'],
    text: `Counted by the cache simulator, the same everywhere. \`before\` is the driver before its contexts were laid out by lines: the bound is a share of that.`,
  },
  {
    part: 'passthrough',
    title: 'Requests that pass through',
    columns: ['request', 'through', 'instructions'],
    text: `In instructions, of the file system and the embedded kernel as well, counted by callgrind. Most of what a read or a write takes more is the
embedded kernel's own second call of a driver: a filter that does nothing costs as much.`,
  },
  {
    part: 'tracking',
    title: 'Tracking rules',
    columns: ['request', 'rule', 'instructions'],
    text: `Counted likewise. An open that a rule matches pays for asking the file system for the file's name. A counted read or write takes a spin lock,
which is the embedded kernel's here, with all that it checks. On Windows it is an interlocked instruction, a store and two changes of IRQL. Readers
that took no lock would have to say that they are there, and then that they are gone, by an interlocked instruction each, and whoever removes a
context would have to wait for them.`,
  },
  {
    part: 'ending',
    title: 'Being rid of contexts',
    columns: ['what', '', 'ms of the processor'],
    text: `The worst ways that very many contexts can lie, too.`,
  },
]

const format = (value) => value.toFixed(value < 10 ? 2 : 0)

function makeTable({ rows }, columns) {
  const isCompared = rows.some(({ ratio }) => ratio !== undefined)
  const head = [...columns, ...(isCompared ? ['ratio'] : []), 'bound']
  let previous
  const lines = rows.map(({ operation, through, value, ratio, bounds }) => {
    const judged = bounds.map(({ told, isMet, reason }) => `${told}: ${isMet ? 'met' : `**missed**: ${reason}`}`)
    const cells = [
      operation === previous ? '' : operation,
      through,
      format(value),
      ...(isCompared ? [ratio?.toFixed(2) ?? ''] : []),
      judged.join('<br>'),
    ]
    previous = operation
    return `| ${cells.join(' | ')} |`
  })
  const rule = head.map((_, index) => (index === 2 || head[index] === 'ratio' ? '---:' : '---'))
  return [`| ${head.join(' | ')} |`, `| ${rule.join(' | ')} |`, ...lines].join('\n')
}

const describe = ({ processor, processors, platform, node }) =>
  `Node.js ${node.slice(1)} (${platform}) on a virtual machine with ${processors} processors (${processor})`

/** The text of docs/performance.md. */
export function makeDocument({ date, parts }) {
  const bounds = Object.values(parts).flatMap(({ rows }) => rows.flatMap((row) => row.bounds))
  const missed = bounds.filter(({ isMet }) => !isMet).length
  return `<!-- Made by \`npm run bench -- --write\` of performance.json: not to be edited. -->

# Performance

${describe(parts.operations.machine)}, which is shared: others kept it busy meanwhile. Recorded on ${date}, on the embedded
kernel. Of ${bounds.length} bounds ${bounds.length - missed} are met and ${missed} missed; where one is missed, the reason stands beside it. Times differ from machine
to machine and from hour to hour, ratios less so; instructions and lines of the cache are counted, and are the same every time.

![Nanoseconds of a look-up against the size of a batch and the number of streams](performance.svg)

${sections.map(({ part, title, columns, text }) => `## ${title}\n\n${text}\n\n${makeTable(parts[part], columns)}`).join('\n\n')}
`
}

/** What README says. */
export function makeHeadline({ parts }) {
  const find = (operation, through) =>
    parts.operations.rows.find((row) => row.operation === operation && row.through === through)
  const tell = ({ value, ratio }) => `${format(value)} ns (${ratio.toFixed(2)} × bare C)`
  return `A look-up into a buffer takes ${tell(find('lookup into a buffer, 1,000 streams', 'facade'))}, one of a batch of 64
${tell(find('batch of 64, 1,000 streams', 'facade, filled and read into a buffer'))}, on a shared virtual machine: all that was measured, with every bound
met or missed, is in [docs/performance.md](docs/performance.md).`
}

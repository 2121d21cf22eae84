/**
 * Every block of code in the documents is run, as far as it can be here. Behind a block's language may stand
 *   - `not run: reason`: it is only checked: types, and the arguments of commands;
 *   - `output`, of a `text` block: what the block before it prints, where `…` stands for any text.
 */
import { checkCommands, Installation } from './commands'
import { type Block, blocks, nameOf } from './markdown'
import { checkTypes, isTestFile, runScript, runTestFile, type Run } from './scripts'

const isRun = ({ note }: Block): boolean => note === ''
const rows = (chosen: readonly Block[]): [string, Block][] => chosen.map((block) => [nameOf(block), block])
const written = (...languages: string[]): Block[] => blocks.filter(({ language }) => languages.includes(language))

const scripts = written('ts', 'js')
const shell = written('sh')

let installation: Installation
/** What the blocks before printed. */
const outputs = new Map<Block, string>()

beforeAll(() => {
  installation = new Installation()
})
afterAll(() => {
  installation.dispose()
})

test('every block says what it is written in, and how it is tested', () => {
  const languages = ['ts', 'js', 'sh', 'bat', 'powershell', 'json', 'yaml', 'text']
  const isKnown = ({ language, note }: Block): boolean =>
    languages.includes(language) &&
    (note === '' || /^not run: \S/.test(note) || (language === 'text' && note === 'output'))
  expect(blocks.filter((block) => !isKnown(block)).map(nameOf)).toEqual([])
})

test('the scripts are right by their types', () => {
  expect(checkTypes(scripts)).toEqual([])
}, 60_000)

function expectSeen({ seen }: Run): void {
  for (const [actual, said] of seen) {
    if (typeof said === 'object' && said !== null && !Array.isArray(said)) expect(actual).toMatchObject(said)
    else expect(actual).toEqual(said)
  }
}

test.each(rows(scripts.filter((block) => isRun(block) && !isTestFile(block))))(
  'the script in %s comes to what its comments say',
  async (_, block) => {
    const result = await runScript(block)
    outputs.set(block, result.output)
    expectSeen(result)
  },
)

for (const block of scripts.filter((block) => isRun(block) && isTestFile(block))) {
  describe(`the tests in ${nameOf(block)}`, () => runTestFile(block))
}

if (shell.some(isRun)) {
  test.each(rows(shell.filter(isRun)))('the commands in %s run', (_, block) => {
    const { status, stdout, stderr } = installation.run(block)
    outputs.set(block, stdout)
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  })
}

test.each(rows([...written('bat'), ...shell.filter((block) => !isRun(block))]))(
  'the command lines in %s are right',
  async (_, block) => {
    expect(await checkCommands(block)).toEqual([])
  },
)

const told = blocks.filter(({ note }) => note === 'output')
if (told.length > 0) {
  test.each(rows(told))('what is said to be printed in %s is', (_, block) => {
    const before = blocks[blocks.indexOf(block) - 1]!
    const pattern = block.text
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*?')
    const trimmed = outputs
      .get(before)!
      .replace(/[ \t]+$/gm, '')
      .trim()
    expect(trimmed).toMatch(new RegExp(`^${pattern}$`))
  })
}

const data = written('json').filter(isRun)
if (data.length > 0) {
  test.each(rows(data))('the JSON in %s is some', (_, { text }) => {
    for (const line of text.startsWith('{"') ? text.split('\n') : [text]) JSON.parse(line)
  })
}

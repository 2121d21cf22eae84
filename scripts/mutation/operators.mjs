// One-token faults for C: each mutant is a place in a source file and what stands there instead.

const relational = {
  '==': ['!='],
  '!=': ['=='],
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
}
const logical = { '&&': ['||'], '||': ['&&'], '!': [''] }
const arithmetic = {
  '+': ['-'],
  '-': ['+'],
  '/': ['*'],
  '%': ['*'],
  '+=': ['-='],
  '-=': ['+='],
  '<<': ['>>'],
  '>>': ['<<'],
}
const flags = { '|': ['&'], '|=': ['&='], '&=': ['|='], '~': [''] }
const constants = { TRUE: ['FALSE'], FALSE: ['TRUE'] }
const replacements = { ...relational, ...logical, ...arithmetic, ...flags, ...constants }

const token =
  /\/\*[\s\S]*?\*\/|\/\/.*|L?"(?:\\.|[^"\\])*"|L?'(?:\\.|[^'\\])*'|[A-Za-z_]\w*|0x[\da-fA-F]+\w*|\d+\w*|<<=|>>=|->|\+\+|--|&&|\|\||[=!<>+\-*/%&|^]=|<<|>>|[^\s]/g

/** What only a checker of the source reads, or an assertion that a release does not have. */
const unchecked =
  /^\s*#|\b(PAGED_CODE|NT_ASSERT|ASSERT|C_ASSERT|UNREFERENCED_PARAMETER|static_assert|_Static_assert|NT_ANALYSIS_ASSUME)\b|\b_(In|Out|Inout|IRQL|When|Use|Success|Must|Requires|Acquires|Releases|Ret|Field|Function)\w*_\b/

/** Whether a unary or a binary operator stands behind a token: a value has been before, or not. */
function endsValue(text) {
  return text !== undefined && /^(?:\w+|\)|\])$/.test(text) && !/^(return|case|sizeof)$/.test(text)
}

function constantsFor(text) {
  const number = /^(0x[\da-fA-F]+|\d+)(\w*)$/.exec(text)
  if (!number) return []
  const value = BigInt(number[1])
  return [`${value === 1n ? 0n : value + 1n}${number[2]}`]
}

function statusFor(text) {
  if (text === 'STATUS_SUCCESS') return ['STATUS_UNSUCCESSFUL']
  return /^STATUS_[A-Z_]+$/.test(text) ? ['STATUS_SUCCESS', 'STATUS_UNSUCCESSFUL'] : []
}

/** Every mutant of a source text, in the order in which they stand there: `{ offset, length, replacement }`. */
export function mutantsOf(source) {
  const mutants = []
  let depth = 0
  let previous
  for (const { 0: text, index: offset } of source.matchAll(token)) {
    if (text.startsWith('/*') || text.startsWith('//')) continue
    if (text === '{') depth += 1
    else if (text === '}') depth -= 1
    const start = source.lastIndexOf('\n', offset) + 1
    const end = source.indexOf('\n', offset)
    const line = source.slice(start, end)
    if (depth > 0 && !unchecked.test(line)) {
      const isBinary = endsValue(previous)
      const isOperator = !/^[+\-&|*]$/.test(text) || isBinary
      const isUnary = text === '!' || text === '~'
      if (isOperator || isUnary) {
        const others = Object.hasOwn(replacements, text)
          ? replacements[text]
          : [...constantsFor(text), ...statusFor(text)]
        for (const replacement of others) mutants.push({ offset, length: text.length, replacement })
      }
      // A call whose value nobody takes, an assignment, a jump: gone.
      const first = offset === start + line.search(/\S/)
      if (
        first &&
        /^\s+(?:[A-Za-z_]\w*\(.*\);|[A-Za-z_][\w.>[\]-]* (?:[-+|&]?=) .*;|break;|continue;)(?:\s*\/\*.*\*\/)?$/.test(
          line,
        ) &&
        !/^\s+\w+ \w+ = /.test(line)
      )
        mutants.push({ offset, length: line.trim().replace(/\s*\/\*.*$/, '').length, replacement: ';' })
    }
    previous = text
  }
  return mutants
}

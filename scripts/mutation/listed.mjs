// Mutants as the lists of those that no test can tell have them: by what the line says, not by its number.

/** A mutant with its place; `mutant` is what its line says then, and of one that goes over several lines, what all of them say. */
export function placed(mutant) {
  const { source, offset, length, replacement } = mutant
  const start = source.lastIndexOf('\n', offset) + 1
  const end = source.indexOf('\n', offset + length)
  return {
    ...mutant,
    number: source.slice(0, start).split('\n').length,
    after: source.slice(source.lastIndexOf('\n', start - 2) + 1, start).trim(),
    line: source.slice(start, source.indexOf('\n', offset)).trim(),
    mutant: (source.slice(start, offset) + replacement + source.slice(offset + length, end)).trim(),
  }
}

/** Whether a list has a mutant: an entry whose line stands more than once says `after` which one. */
export function isListed(list, { file, after, line, mutant }) {
  return list.some(
    (entry) =>
      entry.file === file &&
      entry.line === line &&
      entry.mutant === mutant &&
      (entry.after === undefined || entry.after === after),
  )
}

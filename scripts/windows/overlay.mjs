// A file system overlay that lets clang find the kit's headers whatever case an #include writes their names in.
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A directory as the overlay lists it; clang folds case for what is listed. [clang's VFS overlay format, which JSON is a form of] */
function listing(directory) {
  return readdirSync(directory, { withFileTypes: true }).map((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory()
      ? { name: entry.name, type: 'directory', contents: listing(path) }
      : { name: entry.name, type: 'file', 'external-contents': path }
  })
}

export function writeOverlay(path, directories) {
  const roots = directories.map((name) => ({ name, type: 'directory', contents: listing(name) }))
  writeFileSync(path, JSON.stringify({ version: 0, 'case-sensitive': 'false', roots }))
}

/** `npm run explore`: builds the explorer of schedules and runs it; see test/explore/explore.c for its options. `--sanitized` first: with sanitizers. */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { capture, CommandError, root } from './run.mjs'

const sanitized = process.argv[2] === '--sanitized'
const parameters = process.argv.slice(sanitized ? 3 : 2)
const directory = join(root, 'build', sanitized ? 'asan' : 'native')
const clang = [
  '-DCMAKE_C_COMPILER=clang-19',
  '-DCMAKE_CXX_COMPILER=clang++-19',
  '-DCMAKE_BUILD_TYPE=RelWithDebInfo',
  '-DPSCTX_SANITIZE=address,undefined',
]

/** Says nothing unless it fails: the explorer's output is what was asked for. */
function quietly(args) {
  const { status, output } = capture('cmake', args)
  if (status !== 0) {
    console.error(output)
    throw new CommandError(`cmake ${args.join(' ')} ended with ${status}`)
  }
}

try {
  const options = sanitized ? clang : ['-DCMAKE_BUILD_TYPE=Release']
  quietly(['-S', root, '-B', directory, '-DPSCTX_ADDON=OFF', '-DPSCTX_TESTS=ON', ...options])
  quietly(['--build', directory, '--parallel', String(availableParallelism()), '--target', 'explore'])
  const { status, error } = spawnSync(join(directory, 'test', 'explore', 'explore'), parameters, { stdio: 'inherit' })
  if (error) throw new CommandError(`explore: ${error.message}`)
  process.exitCode = status ?? 1
} catch (error) {
  if (!(error instanceof CommandError)) throw error
  console.error(error.message)
  process.exitCode = 2
}

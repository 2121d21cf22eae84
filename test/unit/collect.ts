/** Collects garbage, and lets those know who have asked to be told. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc')
  await new Promise(setImmediate) // what the running turn has looked at is not collected in it
  ;(runInNewContext('gc') as () => void)()
  await new Promise(setImmediate)
}

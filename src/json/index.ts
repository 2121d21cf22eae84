/**
 * JSON of what this package returns and of what `psctx` prints: how it is written and read, and the types of every document. Loads no addon.
 *
 * @module per-stream-context/json
 */
export type * from './documents'
export { jsonReplacer, jsonReviver } from './replacer'

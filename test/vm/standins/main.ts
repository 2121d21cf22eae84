/** The recipe with a payload that has nothing in it: `node main.cjs DIRECTORY SCRIPTS …`. */
import { main } from '../program'

import type { MakePayload } from '../recipe'

import { makeEmptyPayload } from './payload'

const [node = '', script = '', directory = '', scripts = '', ...words] = process.argv
const makePayload: MakePayload = ({ file }) => makeEmptyPayload(directory, file)
const { log: tell, error: complain } = console

void main([node, script, ...words], { scripts, makePayload, tell, complain }).then((code) => {
  process.exitCode = code
})

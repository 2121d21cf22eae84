/** Contexts for people. */
import type { ContextIdentity, ListedContext } from '../index'

/** A number and what it counts. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

export function describeIdentity({ owner = 0, instance }: ContextIdentity): string {
  return `owner ${String(owner)}, instance ${String(instance)}`
}

export function describeContext(context: ListedContext): string {
  const rule = context.byRule ? ', by a tracking rule' : ''
  return `${describeIdentity(context)}, ${count(context.dataLength, 'byte')}${rule}`
}

/** The contexts of one stream, a line each. */
export function listContexts(contexts: readonly ListedContext[]): string {
  return contexts.map((context) => `  ${describeContext(context)}`).join('\n')
}

/** Contexts of several streams, a line each. */
export function listContextsAndStreams(contexts: readonly ListedContext[]): string {
  return contexts.map((context) => `  ${describeContext(context)} on ${context.name}`).join('\n')
}

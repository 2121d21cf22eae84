/** What an action comes to where the process says that it runs on another system, or as another program. */
export function where<T>(changes: Partial<Pick<NodeJS.Process, 'platform' | 'execPath'>>, action: () => T): T {
  const before = Object.keys(changes).map((name) => [name, Object.getOwnPropertyDescriptor(process, name)!] as const)
  for (const [name, value] of Object.entries(changes)) {
    Object.defineProperty(process, name, { value, configurable: true })
  }
  try {
    return action()
  } finally {
    for (const [name, descriptor] of before) Object.defineProperty(process, name, descriptor)
  }
}

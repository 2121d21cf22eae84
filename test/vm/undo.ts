/** What is to be put back, in the reverse order of what was done. */

interface Entry {
  readonly what: string
  /** What a person does instead. */
  readonly byHand: string
  readonly undo: () => Promise<void>
}

/** Something that could not be put back. */
export interface Remainder {
  readonly what: string
  readonly byHand: string
  readonly reason: string
}

export class UndoStack {
  readonly #entries: Entry[] = []

  /** To be called before the deed: what was begun is put back as what was done is. So `undo` must do for both. */
  push(what: string, byHand: string, undo: () => Promise<void>): void {
    this.#entries.push({ what, byHand, undo })
  }

  /** What would be put back, the youngest first. */
  list(): readonly Pick<Entry, 'what' | 'byHand'>[] {
    return [...this.#entries].reverse()
  }

  /** Puts everything back; what fails does not keep the rest from being put back, and is returned. */
  async unwind(tell: (what: string) => void): Promise<Remainder[]> {
    const remainders: Remainder[] = []
    for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
      const { what, byHand, undo } = entry
      tell(what)
      try {
        await undo()
      } catch (error) {
        remainders.push({ what, byHand, reason: error instanceof Error ? error.message : String(error) })
      }
    }
    return remainders
  }
}

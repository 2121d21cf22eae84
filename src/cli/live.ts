/** A view that is drawn again when something has changed, ten times a second at most. */
import type { Terminal } from './surroundings'

const interval = 100

/** Draws what `view` returns while `action` runs, which says when something has changed; the last state stays. */
export async function drawLive(
  terminal: Terminal,
  view: () => string,
  action: (changed: () => void) => Promise<void>,
): Promise<void> {
  const area = await terminal.live()
  let hasChanged = true
  const draw = () => {
    if (hasChanged) area.draw(view())
    hasChanged = false
  }
  draw()
  const timer = setInterval(draw, interval)
  try {
    await action(() => {
      hasChanged = true
    })
  } finally {
    clearInterval(timer)
    hasChanged = true
    draw()
    area.end()
  }
}

/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The script of the page. It runs in a browser only: its text goes into the page, together with that of the function that it is given,
 * and therefore refers to nothing else in this package. Whatever a recording says becomes text, never markup.
 */
import type { FilterEvent } from '../index'

import type { computeFigures } from './figures'
import type { ContextLife, Outcome, Recording } from './recording'

type Child = Node | string
type Attributes = Readonly<Record<string, string | number | boolean>>
/** What a column is called, and whether it holds numbers. */
type Column = readonly [heading: string, isNumeric?: boolean]

/** Shows the recording that the page carries, and what the controls select of it. */
export function page(figuresOf: typeof computeFigures): void {
  const rowsPerPage = 25
  const rowsPerTable = 100
  const rowHeight = 30
  const edge = 7 // pixels, for the marks at both ends
  const shortestWindow = 0.001 // milliseconds
  /** Pixels that there are on a sheet of paper, on which nothing can be measured. */
  const paperWidths: Readonly<Record<string, number>> = { overview: 680, axis: 300 }

  const recording = JSON.parse(find('recording').textContent) as Recording
  const { contexts, events, names, types } = recording
  const outcomeNames: Readonly<Record<Outcome, string>> = {
    'torn-down': 'torn down',
    removed: 'removed',
    alive: 'alive at the end',
    unknown: 'end not recorded',
  }

  const nameInput = find('name') as HTMLInputElement
  const processInput = find('process') as HTMLSelectElement
  const typeInputs = new Map<FilterEvent['type'], HTMLInputElement>()
  const timeline = find('timeline')

  const whole = { from: 0, to: Math.max(recording.span, shortestWindow) }
  let shown = { ...whole }
  let firstRow = 0
  let isOnPaper = false
  let figures = figuresOf(recording, { name: '', process: null, types })
  const all = figures
  const eventsOfContext = indexEvents()

  // ------------------------------------------------------------------ elements

  function find(id: string): HTMLElement {
    const element = document.getElementById(id)
    if (element === null) throw new Error(`The page has no element ${id}.`)
    return element
  }

  function fill(element: Element, attributes: Attributes, children: readonly Child[]): void {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== false) element.setAttribute(name, value === true ? '' : String(value))
    }
    element.append(...children)
  }

  function html(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
    const element = document.createElement(tag)
    fill(element, attributes, children)
    return element
  }

  function svg(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag)
    fill(element, attributes, children)
    return element
  }

  function fillTable(
    id: string,
    columns: readonly Column[],
    rows: readonly (readonly Child[])[],
    leftOut: number,
  ): void {
    const table = find(id)
    const cell = (tag: string, index: number, child: Child, attributes: Attributes = {}) =>
      html(tag, { ...attributes, class: columns[index]![1] === true ? 'number' : '' }, child)
    const head = columns.map(([heading], index) => cell('th', index, heading, { scope: 'col' }))
    const body = rows.map((row) =>
      html(
        'tr',
        {},
        ...row.map((child, index) => (index === 0 ? cell('th', 0, child, { scope: 'row' }) : cell('td', index, child))),
      ),
    )
    const none = html('tr', {}, html('td', { colspan: columns.length, class: 'none' }, 'Nothing is selected.'))
    table.querySelector('thead')!.replaceChildren(html('tr', {}, ...head))
    table.querySelector('tbody')!.replaceChildren(...(body.length > 0 ? body : [none]))
    find(`${id}-rest`).textContent =
      leftOut > 0 ? `${number(leftOut)} more are left out: select fewer to see them.` : ''
  }

  // ------------------------------------------------------------------ words

  function number(value: number): string {
    return value.toLocaleString('en')
  }

  function plural(count: number, one: string, many = `${one}s`): string {
    return `${number(count)} ${count === 1 ? one : many}`
  }

  /** Characters that would hide, or turn round, what a name says are written out. */
  function visible(name: string): string {
    return name.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, (character) => {
      return `‹U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}›`
    })
  }

  function nameOf(context: { readonly name: number; readonly nameTruncated: boolean }): string {
    return `${context.nameTruncated ? '…' : ''}${visible(names[context.name]!)}`
  }

  function digits(value: number): string {
    return Number(value.toPrecision(value < 1000 ? 3 : 4)).toLocaleString('en', { maximumFractionDigits: 6 })
  }

  function duration(milliseconds: number): string {
    if (milliseconds === 0) return '0 s'
    if (milliseconds < 1) return `${digits(milliseconds * 1000)} µs`
    if (milliseconds < 1000) return `${digits(milliseconds)} ms`
    const seconds = milliseconds / 1000
    if (seconds < 60) return `${digits(seconds)} s`
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`
    if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
    return `${number(Math.floor(seconds / 86_400))} d ${Math.floor((seconds % 86_400) / 3600)} h`
  }

  function clock(milliseconds: number): string {
    return new Date(recording.started + milliseconds).toISOString().replace('T', ' ').replace('Z', '')
  }

  function endOf(context: ContextLife): string {
    const { outcome, outlived, handles } = context
    if (outcome === 'torn-down' && handles > 0) return `torn down with ${plural(handles, 'handle')} open`
    if (outlived === null || outcome === 'removed') return outcomeNames[outcome]
    if (outcome === 'alive') return `alive, no handle for ${duration(outlived)}`
    return outlived === 0 ? 'torn down at once' : `torn down ${duration(outlived)} after`
  }

  function describe(context: ContextLife): string {
    const { start, startSeen, age, end, opens, cleanups, outlived } = context
    const parts = [`${nameOf(context)}, sequence ${context.sequence}`]
    parts.push(startSeen ? `inserted at ${duration(start)}` : 'insertion not recorded')
    parts.push(plural(opens, 'open'), plural(cleanups, 'cleanup'))
    parts.push(
      context.outcome === 'alive' ? outcomeNames.alive : `${outcomeNames[context.outcome]} at ${duration(end)}`,
    )
    if (age !== null) parts.push(`was there for ${duration(age)}`)
    if (outlived !== null) parts.push(`${duration(outlived)} after its last cleanup`)
    return parts.join(', ')
  }

  // ------------------------------------------------------------------ figures

  function showDoubts(): void {
    const { doubts } = recording
    const told = (count: number, text: string, isSevere: boolean) =>
      count > 0 ? [html('li', { class: isSevere ? 'severe' : '' }, text)] : []
    const items = [
      ...told(
        doubts.dropped,
        `${plural(doubts.dropped, 'event')} dropped: they were not read in time, so that every figure may be too small, and a handle may seem open that is not.`,
        true,
      ),
      ...told(doubts.missed, `${plural(doubts.missed, 'open')} missed: a rule has no context for them.`, true),
      ...told(
        doubts.tornDownEarly,
        `${plural(doubts.tornDownEarly, 'context')} torn down with a handle open, as far as events tell.`,
        true,
      ),
      ...told(doubts.endedTwice, `${plural(doubts.endedTwice, 'end')} of contexts that had ended already.`, true),
      ...told(doubts.absent, `${plural(doubts.absent, 'event')} absent: their lines are not in the recording.`, true),
      ...told(
        doubts.insertionsNotSeen,
        `${plural(doubts.insertionsNotSeen, 'context')} whose insertion was not recorded: drawn from the age told at the end, or else from the first event.`,
        false,
      ),
      ...told(
        doubts.clockSetBack,
        `The clock was set back ${plural(doubts.clockSetBack, 'time')}, by ${duration(doubts.clockSetBackBy)} at most: where it was, the timeline has no time passing.`,
        false,
      ),
      ...told(
        doubts.recordings - 1,
        `${number(doubts.recordings)} recordings follow one another. Contexts that were alive when one ended are not followed into the next.`,
        false,
      ),
    ]
    find('doubts').hidden = items.length === 0
    find('doubts-list').replaceChildren(...items)
  }

  function showSummary(): void {
    const { outcomes, counts } = figures
    const of = (some: number, total: number) => (some === total ? number(some) : `${number(some)} of ${number(total)}`)
    const tile = (label: string, value: string, note: string, isSevere = false) =>
      html(
        'div',
        { class: isSevere ? 'tile severe' : 'tile' },
        html('dt', {}, label),
        html('dd', {}, value, html('small', {}, note)),
      )
    const ends = (['torn-down', 'removed', 'alive', 'unknown'] as const)
      .filter((outcome) => outcomes[outcome] > 0)
      .map((outcome) => `${number(outcomes[outcome])} ${outcomeNames[outcome]}`)
    const longest = figures.streams[0]?.outlived ?? null
    const { dropped, missed } = recording.doubts
    find('totals').replaceChildren(
      tile('Time span', duration(recording.span), 'first event to last'),
      tile(
        'Events',
        of(figures.events, all.events),
        `${number(counts.tracked)} opens, ${number(counts.cleanup)} cleanups`,
      ),
      tile('Streams', of(figures.streams.length, all.streams.length), 'by name'),
      tile('Contexts', of(figures.contexts.length, all.contexts.length), ends.join(', ')),
      tile('Longest after last cleanup', longest === null ? '–' : duration(longest), 'until torn down, or the end'),
      tile(
        'Dropped or missed',
        number(dropped + missed),
        `${plural(dropped, 'event')}, ${plural(missed, 'open')}`,
        dropped + missed > 0,
      ),
    )
    find('selected').textContent =
      figures.events === all.events
        ? `All ${plural(all.events, 'event')} of ${plural(all.contexts.length, 'context')}.`
        : `${number(figures.events)} of ${plural(all.events, 'event')}, ${number(figures.contexts.length)} of ${plural(all.contexts.length, 'context')}.`
  }

  function showTables(): void {
    const streamName = (name: number, label: string) => {
      const button = html('button', { type: 'button', class: 'name', title: 'Select this name' }, label)
      button.addEventListener('click', () => {
        nameInput.value = names[name]!
        select()
      })
      return button
    }
    const streams = figures.streams.slice(0, rowsPerTable)
    fillTable(
      'streams',
      [
        ['Stream'],
        ['Outlived its last handle by', true],
        ['Its end'],
        ['Contexts', true],
        ['Alive', true],
        ['Opens', true],
        ['Cleanups', true],
      ],
      streams.map((stream) => {
        const longest = stream.longest === null ? undefined : contexts[stream.longest]!
        return [
          streamName(stream.name, nameOf(stream)),
          stream.outlived === null ? '–' : duration(stream.outlived),
          longest === undefined ? 'no cleanup seen, or a handle is open' : outcomeNames[longest.outcome],
          ...[stream.contexts, stream.alive, stream.opens, stream.cleanups].map(number),
        ]
      }),
      figures.streams.length - streams.length,
    )
    const processes = figures.processes.slice(0, rowsPerTable)
    fillTable(
      'processes',
      [['Process'], ['Opens', true], ['Cleanups', true], ['Inserted', true], ['Removed', true], ['Missed opens', true]],
      processes.map(({ process, counts }) => [
        String(process),
        ...[counts.tracked, counts.cleanup, counts.inserted, counts.removed, counts.missed].map(number),
      ]),
      figures.processes.length - processes.length,
    )
    const others = figures.others.slice(0, rowsPerTable)
    find('others-section').hidden = recording.others.length === 0
    fillTable(
      'others',
      [['At', true], ['Event'], ['What'], ['Process', true]],
      others.map(({ type, time, name, process, count }) => [
        duration(time),
        type,
        name === null ? plural(count ?? 0, type === 'missed' ? 'open' : 'event') : visible(name),
        process === null ? '' : String(process),
      ]),
      figures.others.length - others.length,
    )
  }

  // ------------------------------------------------------------------ timeline

  /** The events of each context, as positions in the columns. */
  function indexEvents(): readonly number[][] {
    const ofContext: number[][] = contexts.map(() => [])
    events.context.forEach((context, index) => ofContext[context]!.push(index))
    return ofContext
  }

  /** Milliseconds from one tick to the next, so that there are about as many as have room. */
  function tickStep(width: number): number {
    const least = (shown.to - shown.from) / Math.max(2, Math.floor(width / 90))
    const steps = [1, 2, 5, 10, 15, 30].map((seconds) => seconds * 1000)
    steps.push(...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * 60_000))
    steps.push(...[1, 2, 3, 6, 12].map((hours) => hours * 3_600_000))
    const unit = least > steps.at(-1)! ? 86_400_000 : 1
    const decade = 10 ** Math.floor(Math.log10(least / unit))
    const decimal = [1, 2, 5, 10].map((step) => step * decade * unit).find((step) => step >= least * 0.999)!
    return decimal <= 1000 ? decimal : (steps.find((step) => step >= least) ?? decimal)
  }

  function ticks(width: number): { readonly time: number; readonly label: string }[] {
    const step = tickStep(width)
    const [unit, milliseconds] = (
      [
        ['d', 86_400_000, step],
        ['h', 3_600_000, step],
        ['min', 60_000, step],
        ['s', 1000, shown.to],
        ['ms', 1, shown.to],
        ['µs', 0.001, Infinity],
      ] as const
    ).find(([, ofUnit, least]) => least >= ofUnit)!
    const first = Math.ceil(shown.from / step)
    const count = Math.max(0, Math.floor(shown.to / step) - first + 1)
    return Array.from({ length: count }, (_, index) => {
      const time = (first + index) * step
      const value = (time / milliseconds).toLocaleString('en', { maximumFractionDigits: 7 })
      return { time, label: `${value} ${unit}` }
    })
  }

  function widthOf(id: string): number {
    return isOnPaper ? paperWidths[id]! : Math.max(160, Math.round(find(id).clientWidth))
  }

  /** Where a time of the window lies, in a drawing that is so wide. */
  function scale(width: number): (time: number) => number {
    return (time) => edge + ((time - shown.from) / (shown.to - shown.from)) * (width - 2 * edge)
  }

  function drawRow(context: ContextLife, ofContext: readonly number[], width: number): SVGElement {
    const middle = rowHeight / 2
    const x = scale(width)
    const inside = (time: number) => Math.min(width, Math.max(0, x(time)))
    const isVisible = (time: number) => time >= shown.from && time <= shown.to
    const bar = (from: number, to: number, half: number) => {
      const left = inside(from)
      return `M${left.toFixed(1)} ${middle - half}H${Math.max(inside(to), left + 1).toFixed(1)}v${2 * half}H${left.toFixed(1)}z`
    }

    // Marks that fall on one pixel are one mark.
    const opens = new Set<number>()
    const cleanups = new Set<number>()
    let held = ''
    let handles = 0
    let heldFrom = 0
    for (const index of ofContext) {
      const type = types[events.type[index]!]!
      const time = events.time[index]!
      if (type !== 'tracked' && type !== 'cleanup') continue
      if (type === 'tracked') {
        if (handles === 0) heldFrom = time
        handles += 1
      } else if (handles > 0) {
        handles -= 1
        if (handles === 0 && time >= shown.from && heldFrom <= shown.to) held += bar(heldFrom, time, 4)
      }
      if (isVisible(time)) (type === 'tracked' ? opens : cleanups).add(Math.round(x(time)))
    }
    if (handles > 0 && heldFrom <= shown.to) held += bar(heldFrom, context.end, 4)
    const marks = (positions: ReadonlySet<number>, from: number) =>
      [...positions].map((at) => `M${at} ${from}v8`).join('')

    const { start, end, outcome, outlived } = context
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${rowHeight}`, role: 'img', 'aria-label': describe(context) })
    const path = (name: string, d: string) => {
      if (d !== '') drawing.append(svg('path', { class: name, d }))
    }
    drawing.append(svg('title', {}, describe(context)))
    path(
      'grid',
      ticks(width)
        .map(({ time }) => `M${x(time).toFixed(1)} 0V${rowHeight}`)
        .join(''),
    )
    path(
      context.startSeen && outcome !== 'unknown' ? 'life' : 'life unknown',
      `M${inside(start).toFixed(1)} ${middle}H${Math.max(inside(end), inside(start) + 1).toFixed(1)}`,
    )
    path('held', held)
    if (outlived !== null && outlived > 0 && end >= shown.from) path('outlived', bar(end - outlived, end, 4))
    path('open', marks(opens, 1))
    path('cleanup', marks(cleanups, rowHeight - 9))
    if (context.startSeen && isVisible(start))
      drawing.append(svg('circle', { class: 'start', cx: x(start), cy: middle, r: 3.5 }))
    if (isVisible(end)) drawing.append(svg('path', { class: `end ${outcome}`, d: endMark(outcome, x(end), middle) }))
    return drawing
  }

  function endMark(outcome: Outcome, x: number, y: number): string {
    const at = x.toFixed(1)
    if (outcome === 'torn-down') return `M${at} ${y - 8}v16`
    if (outcome === 'removed') return `M${at} ${y - 5}l5 5l-5 5l-5 -5z`
    if (outcome === 'alive') return `M${(x - 1).toFixed(1)} ${y - 5}l7 5l-7 5z`
    return `M${(x - 3).toFixed(1)} ${y - 4}l6 8m0 -8l-6 8`
  }

  function showAxis(width: number): void {
    const x = scale(width)
    const axis = svg('svg', { viewBox: `0 0 ${width} 22`, 'aria-hidden': 'true' })
    for (const { time, label } of ticks(width)) {
      const at = x(time)
      const [anchor, by] = at < 40 ? ['start', -edge] : at > width - 40 ? ['end', edge] : ['middle', 0]
      axis.append(svg('path', { class: 'tick', d: `M${at.toFixed(1)} 17V22` }))
      axis.append(svg('text', { x: at + by, y: 12, 'text-anchor': anchor }, label))
    }
    find('axis').replaceChildren(axis)
  }

  function showRows(): void {
    const visibleContexts = figures.contexts.filter((index) => {
      const { start, end } = contexts[index]!
      return start <= shown.to && end >= shown.from
    })
    firstRow = Math.min(firstRow, Math.max(0, Math.ceil(visibleContexts.length / rowsPerPage) - 1) * rowsPerPage)
    const onPage = visibleContexts.slice(firstRow, firstRow + rowsPerPage)
    const width = widthOf('axis')
    showAxis(width)
    const rows = onPage.map((index) => {
      const context = contexts[index]!
      const name = nameOf(context)
      const base = name.lastIndexOf('\\') + 1
      const sequence = html('span', { class: 'sequence' }, ` #${context.sequence}`)
      return html(
        'tr',
        {},
        html(
          'th',
          { scope: 'row', title: name },
          html('span', { class: 'file' }, name.slice(base)),
          sequence,
          html('span', { class: 'directory' }, name.slice(0, base)),
        ),
        html('td', { class: 'life-cell' }, drawRow(context, eventsOfContext[index]!, width)),
        html(
          'td',
          { class: context.outcome === 'torn-down' && context.handles > 0 ? 'end-cell severe' : 'end-cell' },
          endOf(context),
        ),
      )
    })
    const none = html('tr', {}, html('td', { colspan: 3, class: 'none' }, 'No selected context lived in this window.'))
    find('rows').replaceChildren(...(rows.length > 0 ? rows : [none]))
    const last = firstRow + onPage.length
    find('rows-shown').textContent =
      onPage.length === visibleContexts.length
        ? `${plural(onPage.length, 'context')} in the window`
        : `${number(firstRow + 1)}–${number(last)} of ${number(visibleContexts.length)} contexts in the window, in the order of their first event`
    disable('previous', firstRow === 0)
    disable('next', last >= visibleContexts.length)
  }

  function disable(id: string, isDisabled: boolean): void {
    const button = find(id) as HTMLButtonElement
    button.disabled = isDisabled
  }

  /** How many of the selected contexts were alive, and how many of their events there were, in each slice of the whole time. */
  function showOverview(): void {
    const overview = find('overview')
    const width = widthOf('overview')
    const height = 56
    const slices = Math.floor(width / 3)
    const sliceOf = (time: number) => Math.min(slices - 1, Math.max(0, Math.floor((time / whole.to) * slices)))
    const eventCounts = new Array<number>(slices).fill(0)
    const changes = new Array<number>(slices + 1).fill(0)
    for (const index of figures.contexts) {
      const { start, end } = contexts[index]!
      changes[sliceOf(start)]! += 1
      changes[sliceOf(end) + 1]! -= 1
      for (const event of eventsOfContext[index]!) eventCounts[sliceOf(events.time[event]!)]! += 1
    }
    let living = 0
    const alive = changes.slice(0, slices).map((change) => (living += change))
    const mostEvents = Math.max(1, ...eventCounts)
    const mostAlive = Math.max(1, ...alive)
    const x = (slice: number) => ((slice * width) / slices).toFixed(1)
    const y = (value: number, most: number) => (height - (value / most) * (height - 6)).toFixed(1)
    const bars = eventCounts
      .map((count, slice) => (count > 0 ? `M${x(slice + 0.5)} ${height}V${y(count, mostEvents)}` : ''))
      .join('')
    const area = alive.map((count, slice) => `L${x(slice)} ${y(count, mostAlive)}H${x(slice + 1)}`).join('')
    const left = (shown.from / whole.to) * width
    const span = Math.max(2, ((shown.to - shown.from) / whole.to) * width)
    const label = `Up to ${plural(mostAlive, 'context')} at a time (area), and up to ${plural(mostEvents, 'event')} in ${duration(whole.to / slices)} (bars).`
    const drawing = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label })
    drawing.append(
      svg('path', { class: 'alive', d: `M0 ${height}${area}V${height}z` }),
      svg('path', { class: 'density', d: bars }),
      svg('path', {
        class: 'outside',
        d: `M0 0H${left}V${height}H0zM${left + span} 0H${width}V${height}H${left + span}z`,
      }),
      svg('rect', { class: 'window', x: left, y: 0.5, width: span, height: height - 1 }),
    )
    overview.replaceChildren(drawing)
    find('overview-label').textContent = label
  }

  function showWindow(): void {
    const isWhole = shown.from === whole.from && shown.to === whole.to
    find('window').textContent =
      `${isWhole ? 'All of it: ' : ''}${duration(shown.to - shown.from)} from ${clock(shown.from)} UTC`
    disable('zoom-out', isWhole)
    disable('zoom-all', isWhole)
    disable('earlier', shown.from <= whole.from)
    disable('later', shown.to >= whole.to)
    showOverview()
    showRows()
  }

  function moveTo(from: number, to: number): void {
    const length = Math.min(whole.to, Math.max(shortestWindow, to - from))
    const start = Math.min(Math.max(0, from), whole.to - length)
    shown = { from: start, to: start + length }
    showWindow()
  }

  /** Keeps the time that lies at `share` of the window where it is. */
  function zoom(factor: number, share = 0.5): void {
    const length = (shown.to - shown.from) * factor
    const fixed = shown.from + (shown.to - shown.from) * share
    moveTo(fixed - length * share, fixed + length * (1 - share))
  }

  function pan(share: number): void {
    const by = (shown.to - shown.from) * share
    moveTo(shown.from + by, shown.to + by)
  }

  function turnPage(by: number): void {
    firstRow = Math.max(0, firstRow + by * rowsPerPage)
    showRows()
  }

  // ------------------------------------------------------------------ controls

  function select(): void {
    figures = figuresOf(recording, {
      name: nameInput.value,
      process: processInput.value === '' ? null : Number(processInput.value),
      types: types.filter((type) => typeInputs.get(type)!.checked),
    })
    firstRow = 0
    showSummary()
    showTables()
    showWindow()
  }

  function makeControls(): void {
    for (const { process } of [...all.processes].sort((one, other) => one.process - other.process)) {
      processInput.append(html('option', { value: process }, String(process)))
    }
    for (const type of types) {
      const input = html('input', { type: 'checkbox', checked: true, value: type }) as HTMLInputElement
      typeInputs.set(type, input)
      const count = html('span', { class: 'count' }, number(all.counts[type]))
      if (all.counts[type] > 0) find('types').append(html('label', { class: 'type' }, input, type, count))
    }
    const filter = find('filter') as HTMLFormElement
    filter.addEventListener('input', select)
    filter.addEventListener('submit', (event) => {
      event.preventDefault()
    })
    filter.addEventListener('reset', () => {
      setTimeout(select)
    })
  }

  function listenToTimeline(): void {
    const actions: Readonly<Record<string, () => void>> = {
      'zoom-in': () => {
        zoom(0.5)
      },
      'zoom-out': () => {
        zoom(2)
      },
      'zoom-all': () => {
        moveTo(whole.from, whole.to)
      },
      earlier: () => {
        pan(-0.5)
      },
      later: () => {
        pan(0.5)
      },
      previous: () => {
        turnPage(-1)
      },
      next: () => {
        turnPage(1)
      },
    }
    const keys: Readonly<Record<string, string>> = {
      '+': 'zoom-in',
      '=': 'zoom-in',
      '-': 'zoom-out',
      '0': 'zoom-all',
      ArrowLeft: 'earlier',
      ArrowRight: 'later',
      PageUp: 'previous',
      PageDown: 'next',
    }
    for (const [id, action] of Object.entries(actions)) find(id).addEventListener('click', action)
    timeline.addEventListener('keydown', (event) => {
      const action = keys[event.key]
      if (action === undefined || event.ctrlKey || event.altKey || event.metaKey) return
      event.preventDefault()
      if (!(find(action) as HTMLButtonElement).disabled) actions[action]!()
    })
    timeline.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return
        event.preventDefault()
        const { left, width } = find('axis').getBoundingClientRect()
        zoom(event.deltaY > 0 ? 1.25 : 0.8, Math.min(1, Math.max(0, (event.clientX - left) / width)))
      },
      { passive: false },
    )
  }

  /** Dragging over the overview chooses the window; a click moves it. */
  function listenToOverview(): void {
    const overview = find('overview')
    let dragFrom: number | null = null
    const timeAt = (event: PointerEvent) => {
      const { left, width } = overview.getBoundingClientRect()
      return Math.min(1, Math.max(0, (event.clientX - left) / width)) * whole.to
    }
    overview.addEventListener('pointerdown', (event) => {
      dragFrom = timeAt(event)
      overview.setPointerCapture(event.pointerId)
    })
    overview.addEventListener('pointermove', (event) => {
      if (dragFrom === null) return
      const to = timeAt(event)
      if (Math.abs(to - dragFrom) > whole.to / 200) moveTo(Math.min(dragFrom, to), Math.max(dragFrom, to))
    })
    overview.addEventListener('pointerup', (event) => {
      if (dragFrom === null) return
      const to = timeAt(event)
      const half = (shown.to - shown.from) / 2
      if (Math.abs(to - dragFrom) <= whole.to / 200) moveTo(to - half, to + half)
      dragFrom = null
    })
    overview.addEventListener('pointercancel', () => {
      dragFrom = null
    })
  }

  find('span').textContent = `${clock(0)} to ${clock(recording.span)} UTC`
  showDoubts()
  makeControls()
  listenToTimeline()
  listenToOverview()
  showSummary()
  showTables()
  showWindow()
  for (const [type, begins] of [
    ['beforeprint', true],
    ['afterprint', false],
  ] as const) {
    addEventListener(type, () => {
      isOnPaper = begins
      showWindow()
    })
  }
  let width = 0
  new ResizeObserver(() => {
    const { clientWidth } = timeline
    if (clientWidth !== width) {
      width = clientWidth
      showWindow()
    }
  }).observe(timeline)
}

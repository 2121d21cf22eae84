/** The page around a recording: one document that fetches nothing, sends nothing and keeps nothing. */
import { createHash } from 'node:crypto'

interface Parts {
  /** Of the recording; any text. */
  readonly json: string
  readonly script: string
  readonly style: string
}

/** As it is in the document: parsers of HTML make every end of a line a line feed. */
function normalise(text: string): string {
  return text.replace(/\r\n?/g, '\n')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

function wrap(style: string, policy: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>Per-stream contexts</title>
<style>${style}</style>
</head>
<body>
${body}
</body>
</html>
`
}

function policyOf(style: string, script?: string): string {
  const scripts = script === undefined ? '' : `; script-src ${hashOf(script)}`
  return `default-src 'none'; style-src ${hashOf(style)}${scripts}; base-uri 'none'; form-action 'none'`
}

/** What there is to say of a recording without events. */
export function emptyDocument(styleText: string): string {
  const style = normalise(styleText)
  return wrap(
    style,
    policyOf(style),
    `<header><h1>Per-stream contexts</h1></header>
<main><section><h2>The recording holds no events</h2>
<p>Nothing that matched was opened while <code>psctx watch NAME --json</code> ran, or it was stopped before it told anything.</p></section></main>`,
  )
}

const legend = [
  ['inserted', '<path class="life" d="M5 11H26"/><circle class="start" cx="5" cy="11" r="3.5"/>'],
  ['opened', '<path class="life" d="M0 11H26"/><path class="open" d="M13 0v8"/>'],
  ['handles open', '<path class="held" d="M0 7H26v8H0z"/>'],
  ['cleaned up', '<path class="life" d="M0 11H26"/><path class="cleanup" d="M13 14v8"/>'],
  ['after the last cleanup', '<path class="outlived" d="M0 7H26v8H0z"/>'],
  ['torn down', '<path class="life" d="M0 11H22"/><path class="end torn-down" d="M22 3v16"/>'],
  ['removed', '<path class="life" d="M0 11H20"/><path class="end removed" d="M20 6l5 5l-5 5l-5 -5z"/>'],
  ['alive at the end', '<path class="life" d="M0 11H20"/><path class="end alive" d="M18 6l7 5l-7 5z"/>'],
  ['not recorded', '<path class="life unknown" d="M0 11H22"/><path class="end unknown" d="M19 7l6 8m0 -8l-6 8"/>'],
]
  .map(([label, drawing]) => `<li><svg viewBox="0 0 26 22" aria-hidden="true">${drawing}</svg>${label}</li>`)
  .join('')

function button(id: string, label: string): string {
  return `<button type="button" id="${id}">${label}</button>`
}

function table(id: string, heading: string, hint: string): string {
  return `<h2 id="${id}-heading">${heading}</h2><p class="hint">${hint}</p>
<div class="scroll" role="region" tabindex="0" aria-labelledby="${id}-heading">
<table id="${id}"><caption>${heading}</caption><thead></thead><tbody></tbody></table>
</div><p class="rest" id="${id}-rest"></p>`
}

const body = `<header><h1>Per-stream contexts</h1><p id="span"></p></header>
<noscript><p>This page is drawn by its own script. It needs JavaScript, and nothing else.</p></noscript>
<main>
<div id="doubts" role="note" aria-labelledby="doubts-heading" hidden><h2 id="doubts-heading">Before you rely on this</h2><ul id="doubts-list"></ul></div>
<form id="filter" role="search" aria-label="Events that are looked at">
<div class="field"><label for="name">Name</label><input type="search" id="name" placeholder="part of a name; * and ? as in rules" autocomplete="off" spellcheck="false"></div>
<div class="field"><label for="process">Process</label><select id="process"><option value="">all</option></select></div>
<button type="reset">Reset</button>
<fieldset id="types"><legend>Events</legend></fieldset>
<output id="selected" aria-live="polite"></output>
</form>
<section id="summary" aria-label="Summary"><dl id="totals"></dl></section>
<section id="timeline" tabindex="0" aria-labelledby="timeline-heading" aria-describedby="timeline-keys">
<div class="timeline-head"><div><h2 id="timeline-heading">Timeline</h2><p class="hint" id="window" aria-live="polite"></p></div>
<div class="tools" role="toolbar" aria-label="Window of the timeline">
${button('zoom-in', 'Zoom in')}${button('zoom-out', 'Zoom out')}${button('earlier', 'Earlier')}${button('later', 'Later')}${button('zoom-all', 'All')}
</div></div>
<div id="overview"></div>
<p class="hint"><span id="overview-label"></span> <span class="screen" id="timeline-keys">Drag over it to choose a window; or use Ctrl and the wheel, or the keys + − ← → 0, and Page Up and Page Down for more contexts.</span></p>
<ul class="legend" aria-label="What the marks mean">${legend}</ul>
<table id="lives"><caption>Contexts in the window</caption><thead><tr><th scope="col" class="name-column">Stream</th><th scope="col" id="axis" aria-label="Life, by time since the first event"></th><th scope="col" class="end-column">End, after the last cleanup</th></tr></thead><tbody id="rows"></tbody></table>
<div class="pages"><p id="rows-shown" aria-live="polite"></p><div class="tools">${button('previous', 'Previous')}${button('next', 'Next')}</div></div>
</section>
<section>${table('streams', 'Streams, by how long a context outlived its last handle', 'From the last cleanup seen to the teardown, or to the end of the recording. The cache manager, or a mapped section, keeps a stream for a while; one that stays for ever may be lost.')}</section>
<div class="columns">
<section>${table('processes', 'Processes', 'Who asked for it. Teardowns are the file system’s, and nobody’s.')}</section>
<section id="others-section">${table('others', 'Besides contexts', 'Volumes that came and went, and what was lost.')}</section>
</div>
<section id="measures"><h2>What this measures</h2><div class="prose">
<p class="hint">Times are of the machine’s clock when each event happened, to its own resolution, counted from the first event. How long a context was there is told by the kernel, which measures it by another clock that is never set.</p>
<p class="hint">Opens and cleanups are told of contexts that a tracking rule inserted, once for each: a stream with two has each open twice. An open that was there before its context is not told, and its cleanup is. A cleanup is the last handle of one open; a context outlives its last handle from the cleanup on after which no open is known.</p>
<p class="hint">Streams are told apart by name, as the events tell it: below the volume for rules, so that streams of two volumes may share a row. A selection keeps events; a context with one of them is shown, and counted, with all of its life.</p>
</div></section>
</main>`

/** The page of a recording. */
export function recordingDocument(parts: Parts): string {
  const style = normalise(parts.style)
  const script = normalise(parts.script)
  const json = parts.json.replace(/</g, '\\u003c') // no tag, nor comment, begins in it
  return wrap(
    style,
    policyOf(style, script),
    `${body}
<script type="application/json" id="recording">${json}</script>
<script>${script}</script>`,
  )
}

/** How the page looks: light, dark, narrow, and on paper. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --surface: #ffffff; --ink: #1a1f26; --muted: #5b6572; --line: #dde2e8; --grid: #e9edf1;
  --accent: #2563a8; --life: #7488a0; --held: #3b82c4; --outlived: #d97706; --severe: #b42318; --severe-page: #fef3f2;
  --shade: rgb(100 116 139 / 0.22);
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161b; --surface: #1a1f26; --ink: #e5e9ee; --muted: #9aa5b1; --line: #2f3740; --grid: #262d35;
    --accent: #7db4f0; --life: #617387; --held: #4d94d8; --outlived: #f0a03c; --severe: #ff9a8d; --severe-page: #3a1d1a;
    --shade: rgb(0 0 0 / 0.45);
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 2rem clamp(1rem, 3vw, 2.5rem) 4rem; max-width: 84rem;
  background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", sans-serif; font-variant-numeric: tabular-nums;
}
h1 { margin: 0; font-size: 1.7rem; line-height: 1.2; letter-spacing: -0.015em; }
h2 { margin: 0; font-size: 1.1rem; }
header p, .hint, .rest, small, .count, .directory, .sequence { color: var(--muted); }
header p { margin: 0.3rem 0 0; }
section, #filter, #doubts {
  margin-top: 1.25rem; padding: 1.1rem 1.25rem; background: var(--surface); border: 1px solid var(--line); border-radius: 10px;
}
.hint, .rest { margin: 0.2rem 0 0; font-size: 0.87rem; max-width: 95ch; }
.rest:empty { display: none; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }

#doubts { border-left: 4px solid var(--life); }
#doubts:has(.severe) { border-color: var(--severe); background: var(--severe-page); }
#doubts h2 { color: inherit; }
#doubts .severe { font-weight: 500; }
#doubts ul { margin: 0.4rem 0 0; padding-left: 1.2rem; }
.severe { color: var(--severe); font-weight: 600; }

#filter { display: flex; flex-wrap: wrap; gap: 0.9rem 1.25rem; align-items: end; }
#filter > .field { display: grid; gap: 0.25rem; }
#filter > .field:first-of-type { flex: 1 1 18rem; }
.field label, legend { font-size: 0.82rem; font-weight: 600; color: var(--muted); padding: 0; }
input[type="search"], select {
  font: inherit; color: inherit; width: 100%; height: 2.3rem; padding: 0 0.6rem;
  background: var(--page); border: 1px solid var(--line); border-radius: 6px;
}
fieldset { flex: 1 1 100%; display: flex; flex-wrap: wrap; gap: 0.35rem; margin: 0; padding: 0; border: 0; min-width: 0; }
legend { margin-bottom: 0.25rem; }
.type {
  display: inline-flex; align-items: center; gap: 0.4rem; height: 2.3rem; padding: 0 0.7rem; cursor: pointer; white-space: nowrap;
  border: 1px solid var(--line); border-radius: 6px;
}
.type:has(:checked) { border-color: var(--accent); }
.type:not(:has(:checked)) { color: var(--muted); }
.type input { margin: 0; accent-color: var(--accent); }
.type:has(:focus-visible) { outline: 2px solid var(--accent); outline-offset: 2px; }
#selected { flex: 1 1 100%; font-size: 0.9rem; color: var(--muted); }
button {
  font: inherit; font-size: 0.9rem; color: inherit; height: 2.3rem; padding: 0 0.8rem; cursor: pointer;
  background: transparent; border: 1px solid var(--line); border-radius: 6px;
}
button:hover:not(:disabled) { border-color: var(--accent); color: var(--accent); }
button:disabled { opacity: 0.45; cursor: default; }

#totals { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 1px; margin: 0; }
#summary { padding: 0; overflow: hidden; }
.tile { padding: 0.9rem 1.25rem; box-shadow: 0 0 0 1px var(--line); }
.tile dt { font-size: 0.82rem; font-weight: 600; color: var(--muted); }
.tile dd { margin: 0.1rem 0 0; font-size: 1.45rem; font-weight: 600; line-height: 1.25; letter-spacing: -0.01em; }
.tile small { display: block; font-size: 0.82rem; font-weight: 400; line-height: 1.35; letter-spacing: 0; }
.tile.severe { background: var(--severe-page); }
.tile.severe dt, .tile.severe small { color: inherit; }

table { width: 100%; border-collapse: collapse; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { padding: 0.4rem 0.75rem 0.4rem 0; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-size: 0.82rem; color: var(--muted); vertical-align: bottom; }
tbody th { font-weight: 400; }
#streams td:nth-child(3) { min-width: 9.5rem; }
.number { text-align: right; white-space: nowrap; }
thead .number { white-space: normal; }
.none { padding: 1.5rem 0; text-align: center; color: var(--muted); }
.prose { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: 0.4rem 2rem; }
.scroll { overflow-x: auto; margin-top: 0.6rem; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.25rem; align-items: start; }
.columns > section { min-width: 0; }
.columns > section:only-child, .columns > section:has(+ [hidden]) { grid-column: 1 / -1; }
.name {
  height: auto; padding: 0; border: 0; text-align: left; overflow-wrap: anywhere; min-width: 14rem;
  font: 0.85rem/1.45 ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace;
}
.name:hover { text-decoration: underline; }

.tools { display: flex; flex-wrap: wrap; gap: 0.4rem; align-items: center; }
.timeline-head { display: flex; flex-wrap: wrap; gap: 0.6rem 1.5rem; justify-content: space-between; align-items: end; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; margin: 0.8rem 0 0; padding: 0; list-style: none; font-size: 0.85rem; }
.legend li { display: flex; align-items: center; gap: 0.4rem; }
.legend svg { width: 26px; height: 22px; flex: none; }
#overview { height: 56px; margin-top: 0.9rem; cursor: crosshair; touch-action: pan-y; border-bottom: 1px solid var(--line); }
svg { display: block; width: 100%; height: auto; overflow: visible; }
#lives { margin-top: 0.9rem; table-layout: fixed; }
#lives th, #lives td { padding-top: 0; padding-bottom: 0; vertical-align: middle; }
#lives thead th { vertical-align: bottom; padding-bottom: 0.2rem; }
#lives thead th#axis { padding-bottom: 0; }
#lives .name-column { width: 24%; }
#lives .end-column { width: 13.5rem; }
#lives tbody th { line-height: 1.25; padding: 0.3rem 1rem 0.3rem 0; }
#lives #axis, .life-cell { padding-left: 0; padding-right: 0; }
#lives .end-cell { padding-left: 1rem; font-size: 0.87rem; line-height: 1.25; }
#lives thead th:last-child { padding-left: 1rem; }
.file, .directory { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.file { display: inline-block; max-width: calc(100% - 4rem); vertical-align: bottom; font: 0.87rem/1.3 ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace; }
.sequence { font-size: 0.8rem; }
.directory { font: 0.75rem/1.3 ui-monospace, "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace; }
.pages { display: flex; flex-wrap: wrap; gap: 0.4rem 0.8rem; align-items: center; justify-content: space-between; margin-top: 0.8rem; }
.pages p { margin: 0; font-size: 0.87rem; color: var(--muted); }

text { font-size: 11px; fill: var(--muted); font-weight: 400; }
.grid { stroke: var(--grid); fill: none; }
.tick { stroke: var(--muted); }
.life { stroke: var(--life); stroke-width: 2; fill: none; }
.life.unknown { stroke-dasharray: 3 3; }
.held { fill: var(--held); }
.outlived { fill: var(--outlived); }
.open, .cleanup { stroke: var(--ink); stroke-width: 1.25; fill: none; }
.start { fill: var(--surface); stroke: var(--ink); stroke-width: 1.5; }
.end { stroke: var(--ink); stroke-width: 2; fill: var(--surface); }
.end.torn-down { stroke-width: 3.5; }
.end.alive { fill: var(--ink); stroke: none; }
.alive:not(.end) { fill: var(--held); opacity: 0.28; }
.density { stroke: var(--accent); stroke-width: 2; }
.outside { fill: var(--shade); }
.window { fill: none; stroke: var(--accent); }

@media (max-width: 60rem) { .columns { grid-template-columns: 1fr; } }
@media (max-width: 44rem) {
  body { padding-top: 1.25rem; }
  section, #filter, #doubts { padding: 0.9rem 1rem; }
  #totals { grid-template-columns: 1fr 1fr; }
  #lives, #lives thead, #lives tbody, #lives tr, #lives th, #lives td { display: block; width: auto; }
  #lives thead th:not(#axis) { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  #lives tr > * { border: 0; }
  #lives tbody tr { border-bottom: 1px solid var(--line); padding: 0.3rem 0; }
  #lives tbody tr:last-child { border: 0; }
  #lives .end-cell { padding: 0 0 0.2rem; color: var(--muted); }
  #lives .end-cell.severe { color: var(--severe); }
}
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --surface: #fff; --ink: #000; --muted: #444; --line: #bbb; --grid: #ddd;
    --accent: #1d4f87; --life: #7a8794; --held: #3b82c4; --outlived: #d97706; --severe: #9b1c12; --severe-page: #fff;
  }
  body { padding: 0; max-width: none; font-size: 10pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  section, #filter, #doubts { border-radius: 0; border-width: 1px 0 0; padding: 0.8rem 0; margin-top: 0.6rem; }
  #filter > :not(#selected), .tools, .pages button, .screen { display: none; }
  #totals { grid-template-columns: repeat(3, 1fr); }
  .columns { display: block; }
  .scroll, #overview { overflow: visible; height: auto; }
  tr, .tile { break-inside: avoid; }
  h2 { break-after: avoid; }
  .name { color: inherit; min-width: 0; }
  .file { display: inline; white-space: normal; overflow-wrap: anywhere; }
}
`

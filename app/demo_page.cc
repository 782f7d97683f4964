#include "app/demo_page.h"

namespace quoll::app {

const std::string_view kDemoPage = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Quoll: HTTP/3 from scratch</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="/icon.svg">
<style>
  :root { color-scheme: light dark; --line: #8884; --accent: #b5521b }
  body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1.2rem }
  h1 { font-size: 2rem; margin: 0 0 .2rem }
  h1 img { height: 2.2rem; vertical-align: -.35rem; margin-right: .5rem }
  .tiles { display: grid; grid-template-columns: repeat(20, 1fr); gap: 3px; margin: 1.4rem 0 }
  .tiles img { width: 100%; aspect-ratio: 1; display: block; border-radius: 3px }
  table { border-collapse: collapse; width: 100% }
  td { padding: .3rem 0; border-top: 1px solid var(--line); vertical-align: top }
  td + td { text-align: right; font-variant-numeric: tabular-nums }
  .ok { color: #2a8a3e; font-weight: 600 } .bad { color: var(--accent); font-weight: 600 }
  #fall { width: 100%; height: 130px; display: block; margin: 1rem 0 }
  button { font: inherit; padding: .35rem .9rem; border: 1px solid var(--line); border-radius: 6px; cursor: pointer }
  code { background: #8882; padding: .1rem .35rem; border-radius: 4px }
</style>
</head>
<body>
<h1><img src="/icon.svg" alt="">Quoll</h1>
<p>This page, and the hundred pictures below, came over one QUIC connection from a server whose cryptography, TLS, QUIC and
HTTP/3 are all its own.</p>
<div class="tiles" id="tiles"></div>
<table>
  <tr><td>Protocol of this page</td><td id="protocol">…</td></tr>
  <tr><td>Resources over HTTP/3</td><td id="count">…</td></tr>
  <tr><td>From the first request to the last byte</td><td id="span">…</td></tr>
  <tr><td>Upload of 8 MiB <button id="upload">send</button></td><td id="uploaded"></td></tr>
  <tr><td>Download of 64 MiB <button id="download">fetch</button></td><td id="downloaded"></td></tr>
</table>
<canvas id="fall" aria-label="When each picture was asked for and came"></canvas>
<p>From a terminal: <code>quoll get -k <span id="origin"></span>/bytes/1073741824 -o /dev/null</code></p>
<script>
'use strict';
const el = id => document.getElementById(id);
el('origin').textContent = location.origin;
const pictures = [];
for (let i = 0; i < 100; i++) {
  const img = new Image();
  img.alt = '';
  pictures.push(new Promise(done => { img.onload = img.onerror = done; }));
  img.src = '/tile/' + i + '.svg';
  el('tiles').append(img);
}
const show = (id, text, ok) => { el(id).textContent = text; el(id).className = ok ? 'ok' : 'bad'; };
const protocolName = p => p === 'h3' ? 'HTTP/3' : p || 'unknown';

function drawFall(entries, begin, end) {
  const canvas = el('fall'), ratio = devicePixelRatio || 1;
  canvas.width = canvas.clientWidth * ratio;
  canvas.height = canvas.clientHeight * ratio;
  const context = canvas.getContext('2d'), x = t => (t - begin) / (end - begin || 1) * canvas.width;
  const row = canvas.height / entries.length;
  entries.forEach((entry, i) => {
    context.fillStyle = 'hsl(' + i * 3.6 + ' 60% 55%)';
    context.fillRect(x(entry.startTime), i * row, Math.max(x(entry.responseEnd) - x(entry.startTime), 2), Math.max(row - .5, 1));
  });
}

addEventListener('load', () => Promise.all(pictures).then(() => setTimeout(() => {
  const page = performance.getEntriesByType('navigation')[0];
  const all = performance.getEntriesByType('resource').filter(entry => entry.name.includes('/tile/'));
  const h3 = all.filter(entry => entry.nextHopProtocol === 'h3');
  const begin = Math.min(...all.map(entry => entry.startTime)), end = Math.max(...all.map(entry => entry.responseEnd));
  show('protocol', protocolName(page && page.nextHopProtocol), page && page.nextHopProtocol === 'h3');
  show('count', h3.length + ' of ' + all.length, h3.length === all.length && all.length === 100);
  show('span', (end - begin).toFixed(1) + ' ms', true);
  drawFall(all, begin, end);
  document.body.dataset.ready = h3.length;
}, 50)));

const rate = (bytes, ms) => (bytes * 8 / ms / 1e3).toFixed(0) + ' Mbit/s';
async function hex(data) {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}
el('upload').onclick = async () => {
  const data = new Uint8Array(8 << 20);
  for (let at = 0; at < data.length; at += 65536) crypto.getRandomValues(data.subarray(at, at + 65536));
  const begin = performance.now();
  try {
    const answer = await (await fetch('/upload', { method: 'POST', body: data })).json();
    const time = performance.now() - begin, same = answer.bytes === data.length && answer.sha256 === await hex(data);
    show('uploaded', same ? 'arrived unharmed, ' + rate(data.length, time) : 'arrived changed', same);
  } catch (error) { show('uploaded', String(error), false); }
};
el('download').onclick = async () => {
  const begin = performance.now();
  try {
    const reader = (await fetch('/bytes/67108864', { cache: 'no-store' })).body.getReader();
    let size = 0;
    for (let part; !(part = await reader.read()).done;) size += part.value.length;
    show('downloaded', size === 67108864 ? rate(size, performance.now() - begin) : 'cut short', size === 67108864);
  } catch (error) { show('downloaded', String(error), false); }
};
</script>
</body>
</html>
)html";

}  // namespace quoll::app

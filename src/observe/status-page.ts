/**
 * The status as a page: its markup, its style and its script, which asks for the JSON every second and draws.
 *
 * Nothing of a status is in the markup, and the script puts values into text nodes only, so nothing that a peer sent is ever
 * read as markup (reliability O-9). No library, no other host, no eval: {@link PAGE_POLICY} forbids them.
 */

/** Content-Security-Policy of the page: its own script, style and JSON, and nothing else. */
export const PAGE_POLICY: string =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The markup. */
export const PAGE: string = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>postern status</title>
<link rel="stylesheet" href="?format=style">
<h1>postern <span id="version"></span></h1>
<p id="facts"></p>
<p id="lost" hidden>No answer; asking again every second.</p>
<div id="charts"></div>
<h2>Workers</h2>
<table id="workers"></table>
<div id="pair">
<div><h2>Responses</h2><table id="responses"></table></div>
<div><h2>Refusals and ends</h2><table id="ends"></table></div>
</div>
<h2>Requests in flight</h2>
<table id="running"></table>
<script src="?format=script"></script>
</html>
`;

/** The style. */
export const PAGE_STYLE: string = `
:root { color-scheme: light dark; --line: #2f6fde; --soft: #8884; }
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 60rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
#facts { margin: .2rem 0 1rem; opacity: .75; }
#lost { color: #c22; font-weight: 600; }
#charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .7rem; }
.chart { border: 1px solid var(--soft); border-radius: .4rem; padding: .5rem .7rem; }
.chart b { display: block; font-size: 1.25rem; font-variant-numeric: tabular-nums; }
.chart svg { display: block; width: 100%; height: 3rem; }
.chart polyline { fill: none; stroke: var(--line); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
#pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 1.5rem; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { white-space: nowrap; border-bottom: 1px solid var(--soft); padding: .2rem .5rem; text-align: right; }
th:first-child, td:first-child, td.text { text-align: left; }
td.text { white-space: normal; overflow-wrap: anywhere; }
th { font-weight: 600; opacity: .75; }
`;

/** The script. */
export const PAGE_SCRIPT: string = String.raw`"use strict";
(() => {
  const KEPT = 120;
  const charts = new Map();
  let last;
  const byId = (id) => document.getElementById(id);
  const bytes = (n) => n >= 1e9 ? (n / 1e9).toFixed(2) + " GB" : n >= 1e6 ? (n / 1e6).toFixed(1) + " MB"
    : n >= 1e3 ? (n / 1e3).toFixed(1) + " kB" : n.toFixed(0) + " B";
  const number = (n) => n >= 100 || Number.isInteger(n) ? Math.round(n).toLocaleString("en") : n.toFixed(1);
  const percent = (n) => (n * 100).toFixed(0) + " %";
  const ms = (n) => n >= 1000 ? (n / 1000).toFixed(1) + " s" : n.toFixed(1) + " ms";
  const span = (n) => {
    const s = Math.floor(n / 1000);
    return s < 60 ? s + " s" : s < 3600 ? Math.floor(s / 60) + " min" : s < 172800 ? Math.floor(s / 3600) + " h"
      : Math.floor(s / 86400) + " d";
  };
  const SVG = "http://www.w3.org/2000/svg";
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className !== undefined) made.className = className;
    return made;
  };
  function chart(title, value, show) {
    let one = charts.get(title);
    if (one === undefined) {
      const box = element("div", undefined, "chart");
      const shown = element("b");
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("preserveAspectRatio", "none");
      svg.setAttribute("role", "img");
      svg.setAttribute("aria-label", title);
      const line = document.createElementNS(SVG, "polyline");
      svg.append(line);
      box.append(element("span", title), shown, svg);
      byId("charts").append(box);
      one = { shown, svg, line, values: [] };
      charts.set(title, one);
    }
    one.values.push(value);
    if (one.values.length > KEPT) one.values.shift();
    one.shown.textContent = show(value);
    const top = Math.max(...one.values) || 1;
    const width = Math.max(30, one.values.length);
    const from = width - one.values.length;
    one.svg.setAttribute("viewBox", "0 0 " + (width - 1) + " 30");
    one.line.setAttribute("points", one.values.map((v, i) => (from + i) + "," + (29 - 28 * v / top).toFixed(2)).join(" "));
  }
  function fill(id, names, rows) {
    const head = element("tr");
    for (const name of names) head.append(element("th", name));
    byId(id).replaceChildren(head, ...rows.map((cells) => {
      const row = element("tr");
      for (const cell of cells) {
        const isText = names.length < 8 && !/^[\d,.]+( [%A-Za-z]+)?$/.test(cell);
        row.append(element("td", cell, isText ? "text" : undefined));
      }
      return row;
    }));
  }
  const sum = (counters, begin) => Object.entries(counters)
    .reduce((all, [name, count]) => name.startsWith(begin) ? all + count : all, 0);
  function show(status) {
    const { counters, workers } = status;
    const now = performance.now();
    const totals = {
      requests: sum(counters, "postern_requests_total"),
      received: sum(counters, "postern_received_bytes_total"),
      sent: sum(counters, "postern_sent_bytes_total"),
    };
    const rate = (name) => last === undefined ? 0 : Math.max(0, (totals[name] - last.totals[name]) / (now - last.now) * 1000);
    const all = (name) => workers.reduce((a, one) => a + one[name], 0);
    const most = (name) => workers.reduce((a, one) => Math.max(a, one[name]), 0);
    byId("version").textContent = status.version;
    byId("facts").textContent = [status.protocols.join(" + ") + " on " + status.address, status.engine + " engine",
      status.transport && status.transport + " transport", status.node, "pid " + status.pid, "up " + span(status.uptimeMs),
      "generation " + status.generation, status.reloads + " reloads", status.restarts + " restarts"].filter(Boolean).join(" · ");
    chart("Requests a second", rate("requests"), number);
    chart("In flight", all("inFlight"), number);
    if (status.queue >= 0) chart("Listen queue", status.queue, number);
    chart("Connections", all("connections"), number);
    chart("Event loop delay, worst", most("delayMs"), ms);
    chart("Event loop busy, worst", most("utilisation"), percent);
    chart("Memory", all("rssBytes"), bytes);
    chart("Sent a second", rate("sent"), bytes);
    last = { now, totals };
    fill("workers", ["id", "pid", "state", "gen.", "up", "requests", "in flight", "conn.", "busy", "delay",
      "memory", "heap", "silent"], workers.map((one) => [number(one.id), String(one.pid), one.state,
      number(one.generation), span(one.uptimeMs), number(one.requests), number(one.inFlight), number(one.connections),
      percent(one.utilisation), ms(one.delayMs), bytes(one.rssBytes), bytes(one.heapBytes), ms(one.silentMs)]));
    const answers = new Map();
    const ends = [];
    for (const [name, count] of Object.entries(counters)) {
      const answer = /^postern_responses_total\{protocol="(\w+)",class="(\w+)"\}$/.exec(name);
      if (answer !== null) {
        if (!answers.has(answer[1])) answers.set(answer[1], {});
        answers.get(answer[1])[answer[2]] = count;
      }
      const end = /^postern_(?:errors_total\{code="(\w+)"\}|connections_refused_total\{reason="(\w+)"\}|(idle_timeouts|aborts|drops|failures|accept_failures)_total)$/.exec(name);
      if (end !== null) ends.push([end[1] || (end[2] ? "connection refused: " + end[2] : end[3].replace("_", " ")), number(count)]);
    }
    const classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    fill("responses", ["protocol", ...classes], [...answers].map(([protocol, by]) =>
      [protocol, ...classes.map((one) => number(by[one] || 0))]));
    fill("ends", ["what", "count"], ends);
    fill("running", ["for", "protocol", "method", "path", "user", "client"], status.running.map((one) =>
      [ms(one.ageMs), one.protocol, one.method, one.path, one.user, one.client]));
  }
  async function ask() {
    try {
      const response = await fetch("?format=json", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!response.ok) throw new Error(String(response.status));
      show(await response.json());
      byId("lost").hidden = true;
    } catch {
      byId("lost").hidden = false;
    }
    setTimeout(ask, 1000);
  }
  ask();
})();
`;

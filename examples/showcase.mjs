/**
 * The page of `npm start`: what arrived and how, a form that posts a file, a clock that streams.
 *
 * One plain Node.js handler without dependencies. It works in a browser over HTTP and behind every web server at any
 * mount prefix, because all its links are queries of the page's own address (`?clock`). Every value is escaped.
 */
import { createHash, randomBytes } from "node:crypto";
import { readUpload } from "./showcase-upload.mjs";

const NAMES = { fastcgi: "FastCGI", scgi: "SCGI", ajp: "AJP 1.3", http: "HTTP" };

/** Text for HTML, inside elements and quoted attributes. */
const escapeHtml = (value) =>
  String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** Header values and variables are one character a byte, as in node:http; people write UTF-8. */
const readable = (value) => Buffer.from(String(value), "latin1").toString();

export default async function showcase(req, res) {
  const [path, query] = req.url.split("?", 2);
  if (path.endsWith("/favicon.ico")) return send(req, res, 404, "text/plain", "No icon here.\n");
  if (req.method === "POST") return showUpload(req, res);
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.setHeader("Allow", "GET, HEAD, POST");
    return send(req, res, 405, "text/plain", "This page knows GET, HEAD and POST.\n");
  }
  if (query === "clock") return showClock(req, res);
  const facts = gatherFacts(req);
  if (/^application\/json\b/.test(req.headers.accept ?? "")) {
    return send(req, res, 200, "application/json", `${JSON.stringify(facts, null, 2)}\n`);
  }
  sendPage(req, res, 200, "");
}

/** What is known of a request, as one object. */
function gatherFacts(req) {
  const { gateway, socket } = req;
  const engine = socket.server?.engine;
  return {
    protocol: gateway?.protocol ?? "http",
    engine: engine?.name ?? "none",
    engineReason: engine?.reason ?? "plain Node.js server",
    role: gateway?.role ?? "responder",
    method: req.method,
    url: readable(req.url),
    scriptName: readable(gateway?.scriptName ?? ""),
    pathInfo: readable(gateway?.pathInfo ?? ""),
    httpVersion: req.httpVersion,
    client: [socket.remoteAddress, socket.remotePort].filter(Boolean).join(" port "),
    webServer: [gateway?.peer?.address, gateway?.peer?.port].filter(Boolean).join(" port "),
    user: readable(gateway?.remoteUser ?? ""),
    tls: [gateway?.tls?.protocol, gateway?.tls?.cipher].filter(Boolean).join(", "),
  };
}

function send(req, res, status, type, text) {
  res.statusCode = status;
  res.setHeader("Content-Type", `${type}; charset=utf-8`);
  res.setHeader("Cache-Control", "no-store");
  res.setHeader("X-Content-Type-Options", "nosniff");
  res.end(req.method === "HEAD" ? undefined : text);
}

/** The time, once a second, for as long as somebody listens (Server-Sent Events). */
function showClock(req, res) {
  res.setHeader("Content-Type", "text/event-stream; charset=utf-8");
  res.setHeader("Cache-Control", "no-store");
  // nginx would keep the first minutes for itself otherwise.
  res.setHeader("X-Accel-Buffering", "no");
  if (req.method === "HEAD") return res.end();
  const tick = () => res.write(`data: ${new Date().toISOString()}\n\n`);
  const timer = setInterval(tick, 1000);
  res.on("close", () => clearInterval(timer));
  tick();
}

/** Answers a posted file with its name, size and SHA-256; the file is never held in memory. */
async function showUpload(req, res) {
  const hash = createHash("sha256");
  let bytes = 0;
  const take = (piece) => {
    hash.update(piece);
    bytes += piece.length;
  };
  let name;
  try {
    name = await readUpload(req, take);
  } catch (error) {
    if (req.destroyed && !req.complete) return;
    req.resume();
    return sendPage(req, res, 400, `<p class="bad">${escapeHtml(error.message)}</p>`);
  }
  const rows = [
    ["Name", name || "(none)"],
    ["Size", `${bytes.toLocaleString("en")} bytes`],
    ["SHA-256", hash.digest("hex")],
  ];
  sendPage(req, res, 200, `<h3>Received</h3>${table(rows, "received")}`);
}

const table = (rows, id) =>
  `<table id="${id}">${rows
    .map(([name, value]) => `<tr><th>${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join("")}</table>`;

function sendPage(req, res, status, uploadResult) {
  const nonce = randomBytes(16).toString("base64");
  res.setHeader(
    "Content-Security-Policy",
    `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; connect-src 'self'; ` +
      "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  );
  send(req, res, status, "text/html", renderPage(req, nonce, uploadResult));
}

function renderPage(req, nonce, uploadResult) {
  const facts = gatherFacts(req);
  const shown = [
    ["Request", `${facts.method} ${facts.url}`],
    ["Mount prefix", facts.scriptName || "(root)"],
    ["Path below it", facts.pathInfo || "(none)"],
    ["Role", facts.role],
    ["Browser", facts.client || "(not said)"],
    ["Connection from", facts.webServer || "(a unix socket, or the browser itself)"],
    ["HTTP version", facts.httpVersion],
    ["User", facts.user || "(nobody logged in)"],
    ["TLS", facts.tls || "(none)"],
    ["Node.js", `${process.version}, process ${process.pid}`],
  ];
  const headers = [];
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    headers.push([readable(req.rawHeaders[i]), readable(req.rawHeaders[i + 1])]);
  }
  const params = Object.entries(req.gateway?.params ?? {});
  const variables = params.map(([name, value]) => [readable(name), readable(value)]);
  const protocol = escapeHtml(NAMES[facts.protocol] ?? facts.protocol);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>postern over ${protocol}</title>
<style nonce="${nonce}">${STYLE}</style>
</head>
<body>
<header>
<p class="name">postern</p>
<h1>This page came over <strong id="protocol">${protocol}</strong></h1>
<p>Engine of this server: <strong id="engine">${escapeHtml(facts.engine)}</strong>
<span class="quiet">(${escapeHtml(facts.engineReason)})</span></p>
</header>
<main>
<section><h2>The request</h2>${table(shown, "facts")}</section>
<div class="column">
<section><h2>Post a file</h2>
<form method="post" action="?upload" enctype="multipart/form-data">
<input type="file" name="file" required aria-label="File">
<button>Send</button>
</form>
${uploadResult || '<p class="quiet">It is hashed while it streams in, and kept nowhere.</p>'}</section>
<section><h2>Clock</h2>
<p id="clock" role="timer">waiting for the first event …</p>
<p class="quiet">One event a second over one open response.</p></section>
</div>
<section class="wide"><details><summary>${headers.length} request headers</summary>${table(headers, "headers")}</details>
<details><summary>${variables.length} variables of the web server</summary>${table(variables, "params")}</details></section>
</main>
<script nonce="${nonce}">
const clock = document.getElementById("clock");
const events = new EventSource("?clock");
events.onmessage = ({ data }) => {
  clock.textContent = new Date(data).toLocaleTimeString();
};
events.onerror = () => {
  clock.textContent = "no connection";
};
</script>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #667085; --paper: #f6f7f9; --card: #fff; --line: #e3e6eb; --mark: #0b6e4f; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8eaee; --soft: #98a2b3; --paper: #14171c; --card: #1c2027; --line: #2e343e; --mark: #4fd1a5; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
header, main { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.5rem; padding-bottom: 1rem; }
.name { margin: 0; color: var(--soft); letter-spacing: .12em; text-transform: uppercase; font-size: .8rem; }
h1 { margin: .2rem 0 .4rem; font-size: 1.9rem; font-weight: 600; line-height: 1.2; }
h1 strong, header strong { color: var(--mark); }
h2 { margin: 0 0 .8rem; font-size: 1.05rem; }
h3 { margin: 1rem 0 .4rem; font-size: .95rem; }
.quiet { color: var(--soft); font-size: .9rem; }
.bad { color: #c4320a; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem; padding-bottom: 3rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem; min-width: 0; }
.column { display: grid; gap: 1rem; align-content: start; min-width: 0; }
.wide { grid-column: 1 / -1; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; font-size: .92rem; }
th, td { padding: .3rem 0; text-align: left; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
th { width: 9.5rem; padding-right: 1rem; font-weight: 500; color: var(--soft); }
details + details { margin-top: .6rem; }
details table { margin-top: .5rem; }
summary { cursor: pointer; }
form { display: flex; flex-wrap: wrap; gap: .6rem; }
input[type="file"] { flex: 1 1 12rem; min-width: 0; color: inherit; }
button { padding: .4rem 1.1rem; border: 0; border-radius: .4rem; background: var(--mark); color: var(--card); font: inherit; cursor: pointer; }
#clock { margin: 0; font-size: 2rem; font-variant-numeric: tabular-nums; }
`;

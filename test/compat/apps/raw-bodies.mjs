/**
 * Handlers on node's own `req` and `res`, about bodies, events and ends: reading, streaming, aborts, facts of sockets.
 * What they notice they mark on their server, `req.socket.server.mark`, so that marks can be compared as well.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { IncomingMessage, Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import onFinished from "on-finished";
import { afterRead, HEADS, json, sorted } from "./raw-heads.mjs";

/** Says something that is compared. */
const marker = (req) => {
  const { server } = req.socket;
  return (text) => server.mark(text);
};

async function digest(stream, restMs = 0) {
  const hash = createHash("sha1");
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.length;
    if (restMs > 0) await sleep(restMs);
  }
  return { bytes, sha1: hash.digest("hex") };
}

function facts(req, res) {
  const { socket } = req;
  const known = { ...req.headers };
  json(res, {
    request: [req.method, req.url, req.httpVersion, req.httpVersionMajor, req.httpVersionMinor],
    flow: [req.aborted, req.readable, req.destroyed, req.readableFlowing],
    stream: [req.readableHighWaterMark, req.readableLength, req.readableEncoding, req.errored],
    headers: sorted(known),
    distinct: sorted(req.headersDistinct),
    trailers: [req.trailers, req.rawTrailers, req.trailersDistinct],
    same: [req.connection === socket, res.socket === socket, res.connection === socket],
    kinds: [req instanceof IncomingMessage, res instanceof ServerResponse, res.req === req],
    server: socket.server instanceof Server,
    remote: [socket.remoteAddress, socket.remoteFamily],
    types: ["remotePort", "localPort", "bytesRead", "bytesWritten"].map(
      (name) => typeof socket[name],
    ),
    methods:
      "setTimeout setNoDelay setKeepAlive ref unref destroy destroySoon pause resume address cork uncork"
        .split(" ")
        .filter((name) => typeof socket[name] !== "function"),
    state: [socket.readable, socket.writable, socket.destroyed, socket.connecting, socket.pending],
    more: [socket.readyState, socket.timeout, Boolean(socket.encrypted), socket.closed],
    returns: [
      socket.setTimeout(0) === socket,
      socket.setNoDelay(true) === socket,
      socket.setKeepAlive(true, 1000) === socket,
      socket.unref() === socket,
      socket.ref() === socket,
    ],
    response: [
      res.statusCode,
      res.statusMessage,
      res.headersSent,
      res.finished,
      res.strictContentLength,
    ],
    writable: [res.writable, res.writableEnded, res.writableFinished, res.writableLength],
    marks: [res.writableHighWaterMark, res.writableObjectMode, res.writableCorked, res.destroyed],
    needs: [
      res.writableNeedDrain,
      res.errored,
      res.chunkedEncoding,
      res.useChunkedEncodingByDefault,
    ],
  });
}

async function digested(req, res) {
  const rest = req.url.includes("slowly") ? 5 : 0;
  json(res, await digest(req, rest));
}

/** Answers without reading: what is left of the body must not hold anything up. */
function unread(_req, res) {
  res.end("not read");
}

function parts(_req, res) {
  res.setHeader("Content-Type", "text/plain; charset=utf-8");
  res.write("h\xe9, ");
  res.write(Buffer.from("bytes, "));
  res.write(new Uint8Array([104, 105, 32]));
  res.write("6865782c20", "hex");
  res.write("bGF0aW4xIA==", "base64");
  res.write("");
  res.write("\xe9", "latin1");
  res.end(" end", "utf8");
}

async function stream(req, res) {
  const mark = marker(req);
  res.writeHead(200, { "Content-Type": "text/plain" });
  for (const word of ["one ", "two ", "three"]) {
    res.write(word, () => mark(`written ${word}`));
    await sleep(8);
  }
  res.end(() => mark("ended"));
}

async function events(_req, res) {
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  res.flushHeaders();
  for (let i = 1; i <= 3; i++) {
    await sleep(5);
    res.write(`id: ${i}\ndata: {"n":${i}}\n\n`);
  }
  res.end();
}

/** Events until the client leaves. */
async function endless(req, res) {
  const mark = marker(req);
  res.on("close", () => mark(`closed ${[res.writableEnded, res.writableFinished, req.aborted]}`));
  res.writeHead(200, { "Content-Type": "text/event-stream" });
  while (!res.destroyed) {
    res.write("data: again\n\n");
    await sleep(5);
  }
  mark("over");
}

/** A download larger than every buffer on the way, at the client's pace. */
async function large(req, res) {
  const mark = marker(req);
  const block = Buffer.alloc(65_536, "0123456789abcdef");
  const blocks = Readable.from(
    (function* () {
      for (let i = 0; i < 64; i++) yield block;
    })(),
  );
  res.setHeader("Content-Type", "application/octet-stream");
  await pipeline(blocks, res);
  mark(`piped ${res.writableFinished}`);
}

async function drained(req, res) {
  const mark = marker(req);
  const block = Buffer.alloc(262_144, "x");
  let waits = 0;
  for (let i = 0; i < 24; i++) {
    if (res.write(block)) continue;
    waits += 1;
    if (!res.writableNeedDrain) mark("no need of drain?");
    await once(res, "drain");
  }
  mark(waits > 0 ? "waited" : "never waited");
  res.end();
}

function corked(_req, res) {
  res.cork();
  res.write("one ");
  res.write("two ");
  process.nextTick(() => {
    res.uncork();
    res.end("three");
  });
}

function afterEnd(req, res) {
  const mark = marker(req);
  res.on("error", (error) => mark(`error ${error.code}`));
  res.end("whole");
  res.write("more", (error) => mark(`write ${error?.code}`));
  res.end("again", (error) => mark(`end ${error?.code}`));
}

/** A promise that is not kept: too few bytes. */
function short(req, res) {
  res.setHeader("Content-Length", 10);
  res.write("half");
  afterRead(req, () => res.destroy());
}

function broken(req, res) {
  res.writeHead(200, { "Content-Type": "text/plain" });
  res.write("half");
  const ways = { response: res, request: req, socket: req.socket };
  const way = ways[new URL(req.url, "http://a").searchParams.get("by")];
  afterRead(req, () => way.destroy(new Error("on purpose")));
}

function finished(req, res) {
  const mark = marker(req);
  onFinished(res, (error) => mark(`response finished ${error?.code ?? error}`));
  onFinished(req, (error) => mark(`request finished ${error?.code ?? error}`));
  mark(`before ${onFinished.isFinished(req)} ${onFinished.isFinished(res)}`);
  req.resume();
  req.on("end", () => res.end("done"));
}

function states(req, res) {
  const mark = marker(req);
  const tell = (event) => () =>
    mark(
      `${event}: ${[req.complete, req.aborted, req.destroyed, req.readableEnded, res.headersSent]} ` +
        `${[res.finished, res.writableEnded, res.writableFinished, res.destroyed, res.writable, res.socket === null]}`,
    );
  for (const event of ["end", "close"]) req.on(event, tell(`req ${event}`));
  for (const event of ["prefinish", "finish", "close", "pipe"]) res.on(event, tell(`res ${event}`));
  req.resume();
  if (req.method === "GET") res.end("states");
  else req.on("end", () => setImmediate(() => res.end("states")));
}

/** Waits for ever; the client leaves. */
function waiting(req, res) {
  const mark = marker(req);
  for (const event of ["aborted", "close"]) req.on(event, () => mark(`req ${event}`));
  req.on("error", (error) => mark(`req error ${error.code}`));
  res.on("close", () =>
    mark(`res close ${[res.writableEnded, res.writableFinished, res.destroyed]}`),
  );
  onFinished(res, (error) => mark(`finished ${error?.code ?? error}`));
  const reads = req.url.includes("read");
  const begins = req.url.includes("begin");
  if (begins) res.write("begun");
  if (reads) req.on("data", () => mark("waiting"));
  else {
    req.resume();
    mark("waiting");
  }
}

async function timeouts(req, res) {
  const mark = marker(req);
  const ways = { request: req, response: res, socket: req.socket };
  const by = new URL(req.url, "http://a").searchParams.get("by");
  res.on("timeout", () => mark("res timeout"));
  ways[by].setTimeout(40, () => {
    mark(`${by} timeout`);
    if (!res.headersSent) json(res, "too late", 503);
  });
}

const BODIES = {
  facts,
  digest: digested,
  unread,
  parts,
  stream,
  events,
  endless,
  large,
  drained,
  corked,
  "after-end": afterEnd,
  short,
  broken,
  finished,
  states,
  waiting,
  timeouts,
};
const HANDLERS = { ...HEADS, ...BODIES };

/**
 * Answers a request to /raw/NAME.
 *
 * @param {IncomingMessage} req its `url` may have lost its prefix to the framework
 * @param {ServerResponse} res
 */
export async function raw(req, res) {
  const name = /^(?:\/api)?(?:\/raw)?\/([a-z-]+)/.exec(req.url)?.[1];
  const handler = HANDLERS[name];
  if (handler === undefined) return json(res, `no ${name}`, 404);
  await handler(req, res);
}

/**
 * The application behind every front server of the conformance tests: one action for each check.
 *
 * A plain (req, res) function that knows nothing of protocols. The action is the part of the path that begins
 * with an underscore, so that it works under any mount; without one the request is echoed as JSON. What a
 * handler saw of its client is written to files, because some servers give every request its own process.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { payload, payloadSha256 } from "../support/front/payload.mjs";

const REST_EVERY_BYTES = 8 * 1_048_576;
const stateFolder = process.env.POSTERN_CONFORMANCE_STATE ?? ".";

/** Tells the test what happened to request `id`; the file appears whole. */
function report(id, facts) {
  const path = join(stateFolder, `${id}.json`);
  writeFileSync(`${path}.new`, JSON.stringify({ pid: process.pid, ...facts }));
  renameSync(`${path}.new`, path);
}

function sendJson(res, value, status = 200) {
  const text = JSON.stringify(value);
  res.writeHead(status, {
    "Content-Type": "application/json",
    "Content-Length": Buffer.byteLength(text),
  });
  res.end(text);
}

function echo(req, res) {
  const { gateway } = req;
  sendJson(res, {
    method: req.method,
    url: req.url,
    httpVersion: req.httpVersion,
    headers: req.headers,
    rawHeaders: req.rawHeaders,
    remoteAddress: req.socket.remoteAddress,
    pid: process.pid,
    gateway: gateway && {
      protocol: gateway.protocol,
      role: gateway.role,
      scriptName: gateway.scriptName,
      pathInfo: gateway.pathInfo,
      params: gateway.params,
      attributes: gateway.attributes,
      remoteUser: gateway.remoteUser,
      authType: gateway.authType,
    },
  });
}

/** Counts and hashes the body; `rest` milliseconds of pause after every 8 MiB. */
async function upload(req, res, query) {
  const restMs = Number(query.get("rest") ?? 0);
  const hash = createHash("sha256");
  let bytes = 0;
  let untilRest = REST_EVERY_BYTES;
  for await (const chunk of req) {
    hash.update(chunk);
    bytes += chunk.length;
    untilRest -= chunk.length;
    if (restMs > 0 && untilRest <= 0) {
      untilRest += REST_EVERY_BYTES;
      await sleep(restMs);
    }
  }
  sendJson(res, {
    bytes,
    sha256: hash.digest("hex"),
    contentLength: req.headers["content-length"] ?? null,
    transferEncoding: req.headers["transfer-encoding"] ?? null,
  });
}

/** Waits until more can be written, or the client is gone; leaves no listener behind. */
async function room(res) {
  const over = new AbortController();
  const { signal } = over;
  await Promise.race([once(res, "drain", { signal }), once(res, "close", { signal })]).finally(() =>
    over.abort(),
  );
}

/** Sends a body of known content; waits whenever the other side is slow. */
async function download(_req, res, query) {
  const bytes = Number(query.get("bytes") ?? 0);
  const head = { "Content-Type": "application/octet-stream" };
  if (query.get("sha") !== "0") head["X-Sha256"] = payloadSha256(bytes);
  if (query.get("length") === "1") head["Content-Length"] = bytes;
  res.writeHead(200, head);
  for (const block of payload(bytes)) {
    if (res.destroyed) return;
    if (!res.write(block)) await room(res);
  }
  res.end();
}

/** Writes a chunk, then waits until the test has seen it and says so by a file. */
async function stream(_req, res, query) {
  const id = query.get("id");
  const count = Number(query.get("count") ?? 3);
  // X-Accel-Buffering is what applications set to have nginx pass chunks on.
  res.writeHead(200, { "Content-Type": "text/plain", "X-Accel-Buffering": "no" });
  for (let index = 0; index < count; index += 1) {
    res.write(`chunk ${index}\n`);
    while (!existsSync(join(stateFolder, `${id}.seen.${index}`))) {
      if (res.destroyed) return;
      await sleep(5);
    }
  }
  res.end("end\n");
}

/** Reports every way in which a handler can learn that its client is gone. */
function watch(req, res, id) {
  const facts = { begun: true, aborted: false, requestClosed: false, responseClosed: false };
  report(id, facts);
  const note = (change) => report(id, Object.assign(facts, change, { ended: res.writableEnded }));
  req.on("aborted", () => note({ aborted: true }));
  req.on("close", () => note({ requestClosed: true }));
  res.on("close", () => note({ responseClosed: true, finished: res.writableFinished }));
  res.on("error", (error) => note({ error: error.code ?? error.message }));
  req.on("error", (error) => note({ error: error.code ?? error.message }));
  return note;
}

/** Reads the body and reports how it ended; answers when it ended well. */
async function collect(req, res, query) {
  const note = watch(req, res, query.get("id"));
  let bytes = 0;
  try {
    for await (const chunk of req) {
      bytes += chunk.length;
      note({ bytes });
    }
  } catch (error) {
    return note({ bodyError: error.code ?? error.message });
  }
  note({ bodyEnded: true });
  sendJson(res, { bytes });
}

/** Streams for ever, until the client is gone. */
async function pour(req, res, query) {
  watch(req, res, query.get("id"));
  res.writeHead(200, { "Content-Type": "text/plain", "X-Accel-Buffering": "no" });
  while (!res.destroyed) {
    res.write("x".repeat(1024));
    await sleep(20);
  }
}

/** Never answers. */
function wait(req, res, query) {
  watch(req, res, query.get("id"));
}

function fields(_req, res) {
  res.setHeader("Set-Cookie", ["first=1; Path=/", "second=2; Path=/"]);
  res.setHeader("X-Repeat", ["one", "two"]);
  res.setHeader("X-Latin", "caf\u00e9");
  // A buffer: with a string node writes the head in the string's encoding.
  res.end(Buffer.from("fields"));
}

function status(_req, res, query) {
  const code = Number(query.get("code"));
  if (query.has("location")) res.setHeader("Location", query.get("location"));
  if (code === 304) res.setHeader("ETag", '"conformance"');
  res.statusCode = code;
  // For 204 and 304 node drops this body, and so must whoever stands in for node.
  res.end(`status ${code}`);
}

function page(_req, res) {
  res.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 11, ETag: '"conformance"' });
  res.end("hello world");
}

/** Error text long before the head, and again in mid-body: HAProxy 2.6 dies of a STDERR record that stands alone. */
async function stderr(req, res) {
  for (const piece of ["writ", "ten"]) {
    req.gateway.errors.write("conformance: a line on the error stream\n");
    await sleep(50);
    res.write(piece);
    await sleep(50);
  }
  res.end();
}

const actions = {
  echo,
  upload,
  download,
  stream,
  pour,
  collect,
  wait,
  fields,
  status,
  page,
  stderr,
  throw: () => {
    throw new Error("conformance: thrown on purpose");
  },
  reject: async () => {
    await sleep(1);
    throw new Error("conformance: rejected on purpose");
  },
};

export default function app(req, res) {
  const url = new URL(req.url, "http://conformance.invalid");
  const name = /\/_([a-z]+)/.exec(url.pathname)?.[1] ?? "echo";
  return (actions[name] ?? echo)(req, res, url.searchParams);
}

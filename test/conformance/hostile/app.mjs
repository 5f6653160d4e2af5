/**
 * The application behind the front servers of the hostile requests: what came, a body that is counted, an answer that
 * breaks off in its middle.
 *
 * A plain (req, res) function; what it is asked for stands at the end of the path. It never refuses anything itself.
 */

/** What an answer that breaks off had promised, and what of it is sent. */
const PROMISED_BYTES = 40_000;
const SENT = "h".repeat(20_000);

let requests = 0;

async function whole(req, res) {
  let bytes = 0;
  for await (const chunk of req) bytes += chunk.length;
  res.end(String(bytes));
}

/** Everything about a request that a hostile one could have changed. */
async function seen(req, res) {
  requests += 1;
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  const { method, url, headers } = req;
  const body = Buffer.concat(chunks).toString("latin1").slice(0, 200);
  res.end(JSON.stringify({ method, url, headers, body }));
}

/** Half an answer, then the end of it that `how` names. */
function half(res, query) {
  const head = { "Content-Type": "text/plain", "X-Accel-Buffering": "no" };
  if (query.get("length") === "1") head["Content-Length"] = PROMISED_BYTES;
  res.writeHead(200, head);
  res.write(SENT, () => {
    if (query.get("how") === "throw") throw new Error("hostile: thrown on purpose");
    res.destroy();
  });
}

export default async function app(req, res) {
  const { pathname, searchParams } = new URL(req.url, "http://hostile.invalid");
  const action = /_([a-z]+)$/.exec(pathname)?.[1];
  if (action === "count") return res.end(String(requests));
  if (action === "upload") return await whole(req, res);
  if (action === "half") {
    await new Promise((done) => setImmediate(done));
    if (searchParams.get("how") !== "throw") return half(res, searchParams);
    const head = { "Content-Type": "text/plain", "X-Accel-Buffering": "no" };
    if (searchParams.get("length") === "1") head["Content-Length"] = PROMISED_BYTES;
    res.writeHead(200, head);
    await new Promise((done) => res.write(SENT, done));
    throw new Error("hostile: thrown on purpose");
  }
  return await seen(req, res);
}

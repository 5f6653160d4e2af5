/**
 * Servers of the native transport as a module of its own, for threads and for sanitizers; and clients who do to them
 * what clients do: ask, upload, read slowly, leave, reset, close one side. What has to come of it is said by the test.
 */
import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { ClientConnection, type ClientProtocol } from "../../src/client/client.ts";
import { begin, params, stdin, USUAL } from "./transcript-frames.ts";

/** Ports of one thread's servers. */
export type Ports = Readonly<Record<ClientProtocol, number>>;

const SECRET = "sixteen bytes and more";
const UPLOAD_BYTES = 1_000_000;
const BIG_BYTES = 4_000_000;

/** For bundleApart: in a worker it posts its ports, elsewhere its `open` is called. */
export const SERVERS: string = `
import { Readable } from "node:stream";
import { parentPort } from "node:worker_threads";
import { serve } from "postern-src/serve/serve.ts";
function* big() {
  for (let i = 0; i < ${BIG_BYTES / 40_000}; i++) yield Buffer.alloc(40_000, "b");
}
function handler(req, res) {
  if (req.url === "/echo") req.on("error", () => undefined).pipe(res);
  else if (req.url === "/big") Readable.from(big()).pipe(res);
  else if (req.url === "/never") res.write("begun");
  else res.end("hello");
}
export async function open() {
  const servers = ["fastcgi", "scgi", "ajp"].map((protocol) => serve(handler, {
    protocol, engine: "native", transport: "native", port: 0, ajp: { secret: "${SECRET}" },
  }));
  await Promise.all(servers.map((server) => server.ready()));
  const ports = Object.fromEntries(servers.map((server) => [server.protocols[0], server.address().port]));
  const close = async () => {
    for (const server of servers) server.closeAllConnections();
    await Promise.all(servers.map((server) => server.shutdown()));
  };
  return { ports, close };
}
if (parentPort !== null) {
  const opened = open();
  opened.then(({ ports }) => parentPort.postMessage(ports));
  parentPort.once("message", async () => {
    await (await opened).close();
    parentPort.close();
  });
}
`;

function* pieces(): Generator<Buffer> {
  for (let sent = 0; sent < UPLOAD_BYTES; sent += 20_000) yield Buffer.alloc(20_000, "u");
}

async function countBytes(body: AsyncIterable<Uint8Array>, restMs = 0): Promise<number> {
  let bytes = 0;
  let untilRest = 500_000;
  for await (const piece of body) {
    bytes += piece.length;
    untilRest -= piece.length;
    if (untilRest > 0) continue;
    untilRest += 500_000;
    await sleep(restMs);
  }
  return bytes;
}

/** Clients of one protocol at one port, everything at once; returns what they got, the same each time. */
export async function load(protocol: ClientProtocol, port: number): Promise<unknown> {
  const clients: ClientConnection[] = [];
  const client = (): ClientConnection => {
    const secret = protocol === "ajp" ? { secret: SECRET } : {};
    const made = new ClientConnection({ protocol, address: { port }, ...secret });
    clients.push(made);
    return made;
  };
  const hello = async (): Promise<number> => {
    const kept = client();
    for (let i = 0; i < 20; i++) {
      if ((await (await kept.request()).text()) !== "hello") return i;
    }
    return 20;
  };
  const upload = async (): Promise<number> => {
    const headers = { "content-length": String(UPLOAD_BYTES) };
    const body = Readable.from(pieces());
    const response = await client().request({ method: "POST", url: "/echo", headers, body });
    return countBytes(response.body);
  };
  const big = async (): Promise<number> =>
    countBytes((await client().request({ url: "/big" })).body, 5);
  const leave = async (url: string): Promise<string> => {
    const one = client();
    const response = await one.request({ url });
    const read = countBytes(response.body).catch(() => -1);
    one.destroy();
    return (await read) < 0 ? "left" : "whole";
  };
  try {
    return await Promise.all([
      hello(),
      hello(),
      upload(),
      big(),
      leave("/never"),
      leave("/big"),
      reset(port),
      halfClose(port, protocol),
    ]);
  } finally {
    for (const one of clients) one.destroy();
  }
}

/** Resets in the middle of a frame. */
async function reset(port: number): Promise<string> {
  for (let i = 0; i < 5; i++) {
    const socket = connect(port, "127.0.0.1").on("error", () => undefined);
    await once(socket, "connect");
    socket.write(Buffer.concat([begin(1), params(1, USUAL)]).subarray(0, 30 + i));
    await sleep(1);
    socket.resetAndDestroy();
  }
  return "reset";
}

/** Closes its own side behind a whole request, or in the middle of one. */
async function halfClose(port: number, protocol: ClientProtocol): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const whole = Buffer.concat([begin(1), params(1, USUAL), stdin(1)]);
  socket.end(protocol === "fastcgi" ? whole : whole.subarray(0, 4));
  let text = "";
  socket.on("data", (bytes: Buffer) => {
    text += bytes.toString("latin1");
  });
  if (!socket.closed) await once(socket, "close");
  return text.includes("hello");
}

/** What {@link load} returns where nothing is wrong. */
export function expectedOf(protocol: ClientProtocol): unknown {
  const answered = protocol === "fastcgi";
  return [20, 20, UPLOAD_BYTES, BIG_BYTES, "left", "left", "reset", answered];
}

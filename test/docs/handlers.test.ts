/**
 * The table of failures in docs/handlers.md: each row is made to happen, and seen from the web server's side.
 *
 * Our client takes the web server's part; what it rejects, a web server can notice.
 */
import type { ServerResponse } from "node:http";
import { afterAll, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { tableOf, textOf } from "../support/documents.ts";
import { type Address, Room } from "../support/front/ports.ts";

const SECRET = "0123456789abcdef";
const rows = tableOf("docs/handlers.md", "protocol");
const room = new Room("handlers");
afterAll(() => room.remove());

/** Serves one handler, asks it once, and closes. */
async function answerOf(
  protocol: ClientProtocol,
  socket: string,
  handler: (res: ServerResponse) => unknown,
): Promise<{ status: number; text: string | Error }> {
  const path = room.file(`${protocol}.sock`);
  const where = socket === "unix" ? { socket: path } : { port: 0 };
  const server: Server = await serve((_req, res) => handler(res), {
    protocol,
    ...where,
    ajp: { secret: SECRET },
    onError: () => undefined,
  }).ready();
  const bound = server.address();
  const address: Address =
    bound !== null && typeof bound === "object"
      ? { host: "127.0.0.1", port: bound.port }
      : { socket: path };
  try {
    const response = await request({ protocol, address, secret: SECRET });
    const text = await response.text().catch((error: Error) => error);
    return { status: response.status, text };
  } finally {
    server.closeAllConnections();
    await server.shutdown();
  }
}

/** An answer of which a part has left when it fails. */
function broken(length?: number): (res: ServerResponse) => void {
  return (res) => {
    if (length !== undefined) res.setHeader("Content-Length", length);
    res.write("part");
    setTimeout(() => res.destroy(), 50);
  };
}

test("the table has every protocol on both kinds of sockets", () => {
  expect(rows.map(([protocol, socket]) => `${protocol} ${socket}`).sort()).toEqual(
    ["ajp", "fastcgi", "scgi"].flatMap((name) => [`${name} tcp`, `${name} unix`]),
  );
});

test.each(rows)("%s on %s: before the head %s; after it %s; noticed: %s", async (...cells) => {
  const [protocol, socket, before, , noticed] = cells as [ClientProtocol, ...string[]];
  const thrown = await answerOf(protocol, socket!, () => {
    throw new Error("on purpose");
  });
  expect(thrown).toEqual({ status: Number(before), text: "500 Internal Server Error\n" });
  const { text } = await answerOf(protocol, socket!, broken());
  expect(text instanceof Error).toBe(noticed === "yes");
  expect((await answerOf(protocol, socket!, broken(10))).text).toBeInstanceOf(Error);
});

test("a header of 70,000 bytes arrives whole (docs/decisions/value-bytes.md, B-84)", async () => {
  const socket = room.file("large.sock");
  const server = await serve((req, res) => res.end(String(req.headers["x-large"]?.length)), {
    socket,
  }).ready();
  const headers = { "X-Large": "x".repeat(70_000) };
  const response = await request({ protocol: "fastcgi", address: { socket }, headers });
  expect(await response.text()).toBe("70000");
  await server.shutdown();
});

test("the README names every field of req.gateway", () => {
  const body = /export interface GatewayFacts \{([\s\S]*?)\n\}/.exec(
    textOf("src/handler/gateway.ts"),
  )![1]!;
  const fields = [...body.matchAll(/^ {2}readonly (\w+):/gm)].map((match) => match[1]!);
  const named = tableOf("README.md", "field").flatMap(([names]) => names!.split(", "));
  expect(named.sort()).toEqual(fields.sort());
});

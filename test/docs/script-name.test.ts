/**
 * The table of docs/script-name.md: each row is sent as that web server sends it, and the application sees what it says.
 *
 * Over FastCGI, or over AJP where the row says so, by our own client; what the servers themselves send is for
 * test/conformance.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { serve } from "../../src/serve/serve.ts";
import type { Server } from "../../src/server/server.ts";
import { tableOf } from "../support/documents.ts";
import { connect, Room } from "../support/front/ports.ts";

const rows = tableOf("docs/script-name.md", "web server");
const room = new Room("script-name");
const sockets = { fastcgi: room.file("f.sock"), ajp: room.file("a.sock") };
const servers: Server[] = [];

beforeAll(async () => {
  for (const protocol of ["fastcgi", "ajp"] as const) {
    const server = serve(
      (req, res) => {
        const { scriptName, pathInfo } = req.gateway;
        res.end(JSON.stringify({ scriptName, pathInfo, url: req.url }));
      },
      { protocol, socket: sockets[protocol] },
    );
    servers.push(await server.ready());
  }
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await server.shutdown();
  }
  room.remove();
});

/** Asks as a server does that sends these variables. */
async function ask(
  server: string,
  asked: string,
  facts: { readonly scriptName: string; readonly pathInfo: string; readonly publicPath: string },
): Promise<string> {
  const isCherokee = server.startsWith("Cherokee");
  const protocol: ClientProtocol = server.includes("AJP") ? "ajp" : "fastcgi";
  const params = {
    REQUEST_URI: asked,
    SCRIPT_NAME: facts.scriptName,
    PATH_INFO: facts.pathInfo,
    [server.includes("virtual host") ? "SCRIPT_URL" : "REDIRECT_URL"]: facts.publicPath,
    SERVER_SOFTWARE: isCherokee ? "Cherokee/1.2" : "test",
  };
  const response = await request({
    protocol,
    address: { socket: sockets[protocol] },
    url: isCherokee ? "/" : asked,
    ...(protocol === "ajp" ? {} : { params }),
  });
  return response.text();
}

/** Asks over AJP for a path that is not encoded, which our client would not send. */
async function askDecoded(path: string): Promise<string> {
  const text = (value: string): number[] => [
    value.length >> 8,
    value.length & 255,
    ...Buffer.from(value, "latin1"),
    0,
  ];
  const fields = ["HTTP/1.1", path, "192.0.2.7", "", "example.test"].flatMap(text);
  const payload = [2, 2, ...fields, 0, 80, 0, 0, 0, 0xff];
  const socket = await connect({ socket: sockets.ajp });
  socket.write(Buffer.from([0x12, 0x34, payload.length >> 8, payload.length & 255, ...payload]));
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    const found = /\{.*\}/.exec(chunk.toString("latin1"));
    if (found !== null) {
      socket.destroy();
      return found[0];
    }
  }
  throw new Error("no answer came");
}

test("the table has every web server of docs/front-servers.md", () => {
  expect(rows.length).toBeGreaterThan(20);
  for (const name of ["nginx", "Apache", "lighttpd", "HAProxy", "Cherokee"]) {
    expect(rows.some(([server]) => server!.startsWith(name))).toBe(true);
  }
});

test.each(rows)("%s: %s %s %s %s", async (...cells) => {
  const [server, scriptName, pathInfo, publicPath, asked, ...expected] = cells.map((cell) =>
    cell === "–" ? "" : cell,
  ) as [string, string, string, string, string, string, string, string];
  const text = server.startsWith("lighttpd, AJP")
    ? await askDecoded(asked)
    : await ask(server, asked, { scriptName, pathInfo, publicPath });
  const [wantedName, wantedInfo, wantedUrl] = expected;
  expect(JSON.parse(text)).toEqual({
    scriptName: wantedName,
    pathInfo: wantedInfo,
    url: wantedUrl,
  });
});

/**
 * What the documents say about WebSockets, with a WebSocket: the example, and nginx's configurations for it.
 *
 * That each configuration passes its check and carries a plain request is configurations.test.ts.
 */
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { createServer } from "../../src/serve/serve.ts";
import { DocumentRoom } from "../support/document-room.ts";
import { type Block, blocksOf } from "../support/documents.ts";
import { Child } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";

const nginx = surroundingsOf("nginx");
let room: DocumentRoom;

beforeAll(async () => {
  room = await DocumentRoom.open();
});
afterAll(() => room?.remove());

/** The one block of a document that holds a text. */
function blockWith(document: string, kind: string, text: string): Block {
  const found = blocksOf(document).filter((one) => one.kind === kind && one.text.includes(text));
  expect(found).toHaveLength(1);
  return found[0]!;
}

/** Sends a message through nginx with a documented configuration; what comes back. */
async function throughNginx(configuration: Block, path: string): Promise<string> {
  const port = room.port("80");
  const { program, run } = nginx.write(room.path, room.localize(configuration.text), port);
  const front = new Child(program, run, { cwd: room.path });
  try {
    await whenListening({ host: "127.0.0.1", port }, () => front.isAlive, 40_000);
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    await once(socket, "open");
    socket.send("hi");
    const [answer] = await once(socket, "message");
    socket.close();
    await once(socket, "close");
    return String(answer);
  } finally {
    await front.stop();
  }
}

test("the example talks through nginx over SCGI, as it is configured", async (context) => {
  unlessObstacle(context, nginx.obstacle(""));
  const program = blockWith("docs/handlers.md", "serves", "WebSocketServer");
  const running = await room.serve(program, room.address(program.words[1]!));
  try {
    const configuration = blockWith("docs/front-servers.md", "config", "scgi_read_timeout");
    expect(await throughNginx(configuration, "/any")).toBe("hi over scgi");
  } finally {
    await running.stop();
  }
});

test("nginx passes WebSockets on over HTTP beside FastCGI, as it is configured", async (context) => {
  unlessObstacle(context, nginx.obstacle(""));
  const socket = room.localize("/run/app/app.sock");
  const server = createServer({ protocol: "auto", socket, mode: 0o666 });
  new WebSocketServer({ server }).on("connection", (client) => {
    client.on("message", (data) => client.send(`${data} again`));
  });
  await server.listen().ready();
  try {
    const configuration = blockWith("docs/front-servers.md", "config", "proxy_read_timeout");
    expect(await throughNginx(configuration, "/socket/x")).toBe("hi again");
  } finally {
    server.closeAllConnections();
    await server.shutdown();
  }
});

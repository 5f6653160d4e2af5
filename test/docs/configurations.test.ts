/**
 * Every configuration of a front server in README and docs: the server's own syntax check, then one request through it.
 *
 * The gateway is the `serves` command above the configuration in the same document, with an application that echoes.
 * What stands around a configuration here is what any machine's main file brings.
 */
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DocumentRoom } from "../support/document-room.ts";
import { type Block, blocksOf, documents, placeOf } from "../support/documents.ts";
import { Child } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";

/** Answers with what it was asked. */
const ECHO = `export default function echo(req, res) {
  const { url, headers } = req;
  const { protocol, scriptName, pathInfo } = req.gateway;
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ url, headers, protocol, scriptName, pathInfo }));
}
`;
const SECRET = "0123456789abcdef0123456789abcdef";
const CREDENTIALS = `Basic ${Buffer.from("user:word").toString("base64")}`;

/** The gateway's command that a configuration is for: the last one above it; none where the server starts it. */
function gatewayOf(block: Block, all: readonly Block[]): Block | undefined {
  if (block.words[1] === "spawns") return undefined;
  return all.slice(0, all.indexOf(block)).findLast(({ kind }) => kind === "serves");
}

/** Without these lines the server keeps the client's Authorization to itself, as docs/front-servers.md says. */
const AUTHORIZING = /^.*(?:CGIPassAuth|FcgidPassHeader|pass-header) .*\n/im;

for (const document of documents) {
  const all = blocksOf(document);
  const configurations = all.filter(({ kind }) => kind === "config");
  if (configurations.length === 0) continue;
  describe(document, { timeout: 120_000 }, () => {
    let room: DocumentRoom;
    beforeAll(async () => {
      room = await DocumentRoom.open();
      for (const { kind, words, text } of all) if (kind === "file") room.write(words[0]!, text);
      room.write("app.mjs", ECHO);
      room.write("ajp-secret", `${SECRET}\n`);
    });
    afterAll(() => room?.remove());
    for (const block of configurations) {
      const [server = "", , mount = ""] = block.words;
      const around = surroundingsOf(server);
      const path = `${mount}/a%20b/c?q=1`;
      const title = `${placeOf(block)} ${server}`;
      test(`${title}: passes its check, and a request passes through`, async (context) => {
        unlessObstacle(context, around.obstacle(block.text));
        const { protocol, seen } = await ask(room, all, block, block.text, path);
        const expected = { protocol, url: path, scriptName: mount, pathInfo: "/a b/c" };
        expect(seen).toMatchObject(expected);
        expect(seen.headers).toMatchObject({ authorization: CREDENTIALS });
        expect(seen.headers).not.toHaveProperty("proxy");
      });
      if (document === "README.md" || !AUTHORIZING.test(block.text)) continue;
      test(`${title}: needs its line about Authorization`, async (context) => {
        unlessObstacle(context, around.obstacle(block.text));
        const without = block.text.replace(AUTHORIZING, "");
        const { seen } = await ask(room, all, block, without, path);
        expect(seen.headers).not.toHaveProperty("authorization");
      });
    }
  });
}

/** Checks a configuration, starts gateway and server, and asks for a path; what the application saw. */
async function ask(
  room: DocumentRoom,
  all: readonly Block[],
  block: Block,
  configuration: string,
  path: string,
): Promise<{ protocol: string; seen: { headers: Record<string, string> } }> {
  const port = room.port("80");
  const text = room.localize(configuration.replaceAll("YOUR-SECRET", SECRET));
  const { program, check, run } = surroundingsOf(block.words[0]!).write(room.path, text, port);
  execFileSync(program, check, { stdio: "pipe" });
  const command = gatewayOf(block, all);
  const [protocol = "fastcgi", written = ""] = command?.words ?? [];
  const gateway =
    command === undefined ? undefined : await room.serve(command, room.address(written));
  const front = new Child(program, run, { cwd: room.path });
  try {
    await whenListening({ host: "127.0.0.1", port }, () => front.isAlive, 40_000);
    const headers = { Authorization: CREDENTIALS, Proxy: "http://evil.invalid/" };
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
    const answer = await response.text();
    const said = `${answer}\n${front.lines.join("\n")}\n${gateway?.said() ?? ""}`;
    expect({ status: response.status, said }).toMatchObject({ status: 200 });
    return { protocol, seen: JSON.parse(answer) };
  } finally {
    await front.stop();
    await gateway?.stop();
  }
}

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
import { CLIENT_SUBJECT, pem } from "../support/certificates.ts";
import { Child } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";
import { askByTls } from "../support/front/tls-client.ts";

/** Answers with what it was asked. */
const ECHO = `export default function echo(req, res) {
  const { url, headers } = req;
  const { protocol, scriptName, pathInfo } = req.gateway;
  const { encrypted, authorized, remoteAddress, localAddress, servername } = req.socket;
  const subject = req.socket.getPeerCertificate?.().subject;
  const tls = req.socket.getProtocol?.();
  const socket = { encrypted, authorized, remoteAddress, localAddress, servername, subject, tls };
  res.setHeader("Content-Type", "application/json");
  res.end(JSON.stringify({ url, headers, protocol, scriptName, pathInfo, socket }));
}
`;
const SECRET = "0123456789abcdef0123456789abcdef";
const CREDENTIALS = `Basic ${Buffer.from("user:word").toString("base64")}`;

/** What the application sees of the client whose certificate is shown, below a configuration with TLS. */
const IDENTITY = {
  encrypted: true,
  authorized: true,
  remoteAddress: "127.0.0.1",
  localAddress: "127.0.0.1",
  subject: CLIENT_SUBJECT,
};

function isTls(block: Block): boolean {
  return block.words[1] === "tls";
}

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
      for (const name of ["authority", "server", "server-key"] as const) {
        room.write(`${name}.pem`, pem(name));
      }
      room.write("server-and-key.pem", pem("server") + pem("server-key"));
    });
    afterAll(() => room?.remove());
    for (const block of configurations) {
      const [server = "", , mount = ""] = block.words;
      const around = surroundingsOf(server);
      const path = `${mount}/a%20b/c?q=1`;
      const title = `${placeOf(block)} ${server}`;
      if (isTls(block)) {
        test(`${title}: passes its check, and tells who the client is`, async (context) => {
          unlessObstacle(context, around.obstacle(block.text));
          const { protocol, seen, tls } = await ask(room, all, block, block.text, path);
          expect(seen).toMatchObject({ protocol, url: path, socket: { ...IDENTITY, tls } });
          // AJP has no place for the name that was asked for.
          const name = protocol === "ajp" ? undefined : "localhost";
          expect(seen.socket.servername || undefined).toBe(name);
        });
        continue;
      }
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

/** What the application answers, as far as it is looked at by name. */
interface Seen {
  readonly headers: Record<string, string>;
  readonly socket: { readonly servername?: string };
}

async function askPlainly(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; text: string; protocol: undefined }> {
  const response = await fetch(url, { headers });
  return { status: response.status, text: await response.text(), protocol: undefined };
}

/** Checks a configuration, starts gateway and server, and asks for a path; what the application saw. */
async function ask(
  room: DocumentRoom,
  all: readonly Block[],
  block: Block,
  configuration: string,
  path: string,
): Promise<{ protocol: string; seen: Seen; tls: string | null | undefined }> {
  const port = room.port(isTls(block) ? "443" : "80");
  const local = room.localize(configuration.replaceAll("YOUR-SECRET", SECRET));
  const { program, check, run } = surroundingsOf(block.words[0]!).write(room.path, local, port);
  execFileSync(program, check, { stdio: "pipe" });
  const command = gatewayOf(block, all);
  const [protocol = "fastcgi", written = ""] = command?.words ?? [];
  const gateway =
    command === undefined ? undefined : await room.serve(command, room.address(written));
  const front = new Child(program, run, { cwd: room.path });
  try {
    await whenListening({ host: "127.0.0.1", port }, () => front.isAlive, 40_000);
    const headers = { Authorization: CREDENTIALS, Proxy: "http://evil.invalid/" };
    const {
      status,
      text,
      protocol: tls,
    } = isTls(block)
      ? await askByTls({ port, path, headers, shown: "client" })
      : await askPlainly(`http://127.0.0.1:${port}${path}`, headers);
    const said = `${text}\n${front.lines.join("\n")}\n${gateway?.said() ?? ""}`;
    expect({ status, said }).toMatchObject({ status: 200 });
    return { protocol, seen: JSON.parse(text), tls };
  } finally {
    await front.stop();
    await gateway?.stop();
  }
}

/**
 * Which requests are told to the listeners of "upgrade", by protocol, front server and fields; and the bytes of those that
 * are, as front servers were seen to take them. One of the behaviour suites, by a peer of bytes.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readAll, until } from "../support/behaviour.ts";
import { forwardRequest, stdin } from "../support/transcript-frames.ts";
import { eachEngine, play, transcript } from "../support/transcript.ts";
import { playUpgrade, type UpgradeListener, type UpgradeScene } from "../support/upgrade-peer.ts";
import { bytesOf } from "../support/vectors.ts";

const accept: UpgradeListener = (_req, socket) =>
  void socket.end("HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n");

/** Changes of the request, or its web server, that make it an ordinary one. */
const ORDINARY: readonly (readonly [string, "fastcgi" | "scgi", Record<string, string>])[] = [
  ["nginx, whose FastCGI cannot", "fastcgi", { SERVER_SOFTWARE: "nginx/1.22.1" }],
  ["Apache, whose FastCGI cannot", "fastcgi", { SERVER_SOFTWARE: "Apache/2.4.71 (Debian)" }],
  ["HAProxy, whose FastCGI cannot", "fastcgi", { SERVER_SOFTWARE: "HAProxy 2.6.12" }],
  ["lighttpd before 1.4.74", "fastcgi", { SERVER_SOFTWARE: "lighttpd/1.4.73" }],
  ["no word about its length", "fastcgi", { CONTENT_LENGTH: "" }],
  ["Apache, whose SCGI cannot", "scgi", { SERVER_SOFTWARE: "Apache/2.4.71 (Debian)" }],
  ["Cherokee, whose SCGI cannot", "scgi", { SERVER_SOFTWARE: "Cherokee 1.2.104" }],
  ["lighttpd before 1.4.74", "scgi", { SERVER_SOFTWARE: "lighttpd/1.4.69" }],
  ["a Connection without upgrade", "scgi", { HTTP_CONNECTION: "keep-alive" }],
  ["an upgrade by another name", "scgi", { HTTP_CONNECTION: "upgrade-insecure" }],
  ["no Upgrade", "scgi", { HTTP_UPGRADE: "" }],
];
const UPGRADES: typeof ORDINARY = [
  ["lighttpd 1.4.74", "fastcgi", { SERVER_SOFTWARE: "lighttpd/1.4.74" }],
  ["lighttpd without its version", "fastcgi", { SERVER_SOFTWARE: "lighttpd" }],
  ["no Connection at all", "fastcgi", { HTTP_CONNECTION: "" }],
  ["lighttpd 1.4.82", "scgi", { SERVER_SOFTWARE: "lighttpd/1.4.82" }],
  ["nginx that says so", "scgi", { SERVER_SOFTWARE: "nginx/1.27.0" }],
  ["an upgrade among other options", "scgi", { HTTP_CONNECTION: "close , UPGRADE" }],
];

describe("whether a request is an upgrade", () => {
  const scene: UpgradeScene = {
    upgrade: accept,
    request: (req, res) => void res.end(`${req.upgrade} ${req.headers.upgrade}`),
  };
  const ask = (way: "fastcgi" | "scgi", variables: Record<string, string>): Promise<string> =>
    playUpgrade(way, "typescript", scene, async ({ peer }) => {
      peer.asks(variables);
      if (way === "fastcgi" && variables["CONTENT_LENGTH"] === "") peer.ends();
      const { status } = await peer.head();
      return status === 101 ? "101" : await peer.readsToEnd();
    });

  test.for(ORDINARY)("with %s (%s): no", async ([, way, variables]) => {
    expect(await ask(way, variables)).toBe("false undefined");
  });

  test.for(UPGRADES)("with %s (%s): yes", async ([, way, variables]) => {
    expect(await ask(way, variables)).toBe("101");
  });

  test("with a body: no (over a web server it would have to come first)", async () => {
    const upload: UpgradeScene = {
      ...scene,
      request: (req, res) => void readAll(req).then((body) => res.end(body)),
    };
    await playUpgrade("scgi", "typescript", upload, async ({ peer }) => {
      peer.asks({ CONTENT_LENGTH: "4" }, "body");
      expect((await peer.head()).status).toBe(200);
      expect(await peer.readsToEnd()).toBe("body");
    });
  });

  transcript(
    "over AJP: no, it has no such answer (AJP 1.3)",
    { protocol: "ajp", handler: (req, res) => void res.end(`${req.headers.upgrade}`) },
    async ({ server, peer }) => {
      server.on("upgrade", accept);
      peer.sends(forwardRequest({ headers: { Upgrade: "echo", Connection: "upgrade" } }));
      expect(await peer.answer()).toMatchObject({ status: 200, body: "undefined" });
    },
  );
});

/** Our bytes and the peer's in turn, as a vector has them. */
function stepsOf(protocol: "fastcgi" | "scgi", id: string): { dir: string; hex: string }[] {
  const path = new URL(`../vectors/${protocol}.json`, import.meta.url);
  const vectors = JSON.parse(readFileSync(path, "utf8"));
  return vectors.find((one: { id: string }) => one.id === id).steps;
}

describe("an upgrade, byte by byte", () => {
  for (const [protocol, id, fields] of [
    ["fastcgi", "F16", "Upgrade: websocket"],
    ["scgi", "S13", "Upgrade: websocket\r\nConnection: Upgrade"],
  ] as const) {
    eachEngine(id, (engine) => {
      test(`is as lighttpd 1.4.86 and nginx take it (vector ${id}) · ${engine}`, async () => {
        const handler = (): void => {};
        await play({ protocol, handler }, engine, async ({ server, peer }) => {
          const seen: Buffer[] = [];
          server.on("upgrade", (_req, socket) => {
            socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n\r\n`);
            socket.on("data", (chunk: Buffer) => seen.push(chunk));
            const isScgi = protocol === "scgi";
            void until(() => isScgi || seen.length > 0).then(() => {
              socket.write(Buffer.from("81026f6b", "hex"), () => socket.end());
            });
          });
          for (const { dir, hex } of stepsOf(protocol, id)) {
            const bytes = Buffer.from(bytesOf(hex));
            if (dir === ">") peer.sends(bytes);
            else expect(await peer.reads(bytes.length)).toBe(bytes.toString("hex"));
          }
          if (protocol === "fastcgi") peer.sends(stdin(1));
          await peer.expectsClose();
        });
      });
    });
  }
});

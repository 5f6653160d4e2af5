/**
 * Upgrade requests that are accepted: over FastCGI, SCGI and HTTP, by a peer of bytes. What node:http shows is asked in
 * the same run. Which requests are upgrades at all is suite-upgrade-ways.test.ts, refusals are
 * suite-upgrade-refusals.test.ts, ends and waits suite-upgrade-ends.test.ts.
 */
import { createServer, type IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import { mountApplication } from "../../src/serve/application.ts";
import type { Server } from "../../src/server/server.ts";
import { eachEngine } from "../support/transcript.ts";
import {
  OUR_WAYS,
  playUpgrade,
  type UpgradeListener,
  type UpgradeScene,
} from "../support/upgrade-peer.ts";

const ACCEPT =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\nX-One: 1\r\n\r\n";

/** Accepts, and sends back whatever comes. */
const echo: UpgradeListener = (_req, socket, head) => {
  socket.write(ACCEPT);
  socket.unshift(head);
  socket.on("data", (chunk) => socket.write(chunk)).on("end", () => socket.end());
};

/** What a listener can see of its request. */
function factsOf(req: IncomingMessage, socket: Socket): unknown {
  const { method, url, headers, httpVersion, upgrade, complete, aborted, readable } = req as never;
  return {
    facts: { method, url, headers, httpVersion, upgrade, complete, aborted, readable },
    isSocket: req.socket === socket,
    destroyed: req.destroyed,
    flowing: socket.readableFlowing,
    paused: socket.isPaused(),
    halfOpen: socket.allowHalfOpen,
    writable: socket.writable,
    marks: [socket.readableHighWaterMark, socket.writableHighWaterMark],
    errored: socket.errored,
    readyState: socket.readyState,
  };
}

for (const way of OUR_WAYS) {
  const title = `an upgrade over ${way}`;
  eachEngine(title, (engine) => {
    describe(`${title} · ${engine}`, () => {
      const same = async <T>(
        scene: () => UpgradeScene,
        script: Parameters<typeof playUpgrade<T>>[3],
      ): Promise<T> => {
        const ours = await playUpgrade(way, engine, scene(), script);
        expect(ours).toEqual(await playUpgrade("node", engine, scene(), script));
        return ours;
      };

      test("is answered with the application's own head, then bytes go both ways (RFC 9110 §7.8)", async () => {
        const answer = await same(
          () => ({ upgrade: echo }),
          async ({ peer }) => {
            peer.asks();
            const head = await peer.head();
            peer.sends("one");
            const first = await peer.reads(3);
            peer.sends("\0\xff\r\n\r\n");
            const second = await peer.reads(6);
            peer.ends();
            return { head, first, second, rest: await peer.readsToEnd() };
          },
        );
        expect(answer.head.status).toBe(101);
        expect(answer.first).toBe("one");
      });

      test("looks to its listener as node's does, and has req.gateway", async () => {
        const seen: unknown[] = [];
        const gateways: unknown[] = [];
        const listener: UpgradeListener = (req, socket) => {
          seen.push(factsOf(req, socket as Socket));
          gateways.push((req as GatewayRequest).gateway?.protocol);
          socket.end(ACCEPT);
        };
        await same(
          () => ({ upgrade: listener }),
          async ({ peer }) => {
            peer.asks({ HTTP_CONNECTION: "keep-alive, Upgrade" });
            return [(await peer.head()).status, await peer.readsToEnd()];
          },
        );
        const [ours, nodes] = seen as { facts: { headers: object } }[];
        expect(ours).toEqual(nodes);
        expect(gateways).toEqual([way, undefined]);
      });

      test("may be accepted later, and in pieces", async () => {
        const listener: UpgradeListener = (_req, socket, head) => {
          setTimeout(() => {
            for (const byte of ACCEPT) socket.write(byte);
            socket.write("hello");
            socket.unshift(head);
            socket.on("data", (chunk) => socket.end(chunk));
          }, 20);
        };
        await same(
          () => ({ upgrade: listener }),
          async ({ peer }) => {
            peer.asks();
            const { status } = await peer.head();
            peer.sends("x");
            return [status, await peer.readsToEnd()];
          },
        );
      });

      test("has the usual methods of a socket", async () => {
        const listener: UpgradeListener = (_req, duplex) => {
          const socket = duplex as Socket;
          socket.setTimeout(0);
          socket.setNoDelay(true).setKeepAlive(true, 1_000).ref().unref();
          socket.cork();
          socket.write(ACCEPT);
          socket.write("a");
          socket.uncork();
          socket.write("62", "hex", () => socket.end(typeof socket.address()));
        };
        const answer = await playUpgrade(way, engine, { upgrade: listener }, async ({ peer }) => {
          peer.asks({ REMOTE_ADDR: "192.0.2.7", REMOTE_PORT: "4711" });
          return [(await peer.head()).status, await peer.readsToEnd()];
        });
        expect(answer[0]).toBe(101);
        expect(answer[1]).toMatch(/^abobject$/);
      });

      test("shows its client's TLS as any request does", async () => {
        const told: unknown[][] = [];
        const tell = (req: IncomingMessage): void => {
          const socket = req.socket as TLSSocket;
          const { encrypted, authorized } = socket;
          told.push([encrypted, authorized, socket.getCipher?.(), socket.getPeerCertificate?.()]);
        };
        const scene: UpgradeScene = {
          upgrade: (req, socket) => {
            tell(req);
            socket.end(ACCEPT);
          },
          request: (req, res) => {
            tell(req);
            res.end();
          },
        };
        for (const HTTPS of ["on", ""]) {
          for (const HTTP_UPGRADE of ["echo", ""]) {
            await playUpgrade(way, engine, scene, async ({ peer }) => {
              const tls = { HTTPS, SSL_CIPHER: "TLS_AES_256_GCM_SHA384", SSL_PROTOCOL: "TLSv1.3" };
              peer.asks({ ...tls, HTTP_UPGRADE, HTTP_CONNECTION: "upgrade" });
              await peer.head();
            });
          }
        }
        expect(told[0]).toEqual(told[1]);
        expect(told[2]).toEqual(told[3]);
        const isEncrypted = told.map(([encrypted]) => encrypted === true);
        expect(isEncrypted).toEqual(
          way === "http" ? Array(4).fill(false) : [true, true, false, false],
        );
      });

      test("times out only where the application asked for it", async () => {
        const listener: UpgradeListener = (_req, duplex) => {
          const socket = duplex as Socket;
          socket.write(ACCEPT);
          socket.setTimeout(50, () => socket.end("late"));
        };
        await same(
          () => ({ upgrade: listener }),
          async ({ peer }) => {
            peer.asks();
            return [(await peer.head()).status, await peer.readsToEnd()];
          },
        );
      });

      test("is an ordinary request where nobody listens", async () => {
        const seen: unknown[] = [];
        const scene: UpgradeScene = {
          request: (req, res) => {
            seen.push([req.upgrade, req.headers.upgrade, req.headers.connection]);
            res.end("plain");
          },
        };
        const answer = await playUpgrade(way, engine, scene, async ({ peer }) => {
          peer.asks({ HTTP_CONNECTION: way === "http" ? "Upgrade, close" : "Upgrade" });
          return [(await peer.head()).status, await peer.readsToEnd()];
        });
        expect(answer).toEqual([200, "plain"]);
        const passed = way === "http" ? ["echo", "Upgrade, close"] : [undefined, undefined];
        expect(seen).toEqual([[false, ...passed]]);
      });

      test("reaches an application that is an http.Server, as long as it listens", async () => {
        const inner = createServer((_req, res) => res.end("plain"));
        const ask = async (): Promise<number> => {
          const scene = { transport: "tcp" } as const;
          return await playUpgrade(way, engine, scene, async ({ peer, server }) => {
            mountApplication(server as Server, inner);
            peer.asks();
            return (await peer.head()).status;
          });
        };
        const statuses = [await ask()];
        inner.on("upgrade", echo);
        statuses.push(await ask());
        inner.removeListener("upgrade", echo);
        statuses.push(await ask());
        expect(statuses).toEqual([200, 101, 200]);
      });

      test("does not count as a request in flight (limits.requests)", async () => {
        const scene: UpgradeScene = {
          upgrade: echo,
          request: (_req, res) => void res.end("plain"),
          limits: { requests: 1 },
        };
        await playUpgrade(way, engine, scene, async ({ peer, connect }) => {
          peer.asks();
          await peer.head();
          const second = await connect();
          second.asks({ HTTP_UPGRADE: "" });
          expect((await second.head()).status).toBe(200);
          peer.sends("still");
          expect(await peer.reads(5)).toBe("still");
        });
      });
    });
  });
}

describe("bytes behind the head of an upgrade", () => {
  for (const way of ["scgi", "http"] as const) {
    eachEngine(`over ${way}`, (engine) => {
      for (const wait of [0, 30]) {
        test(`wait for the answer and lose nothing, ${wait} ms · ${way} · ${engine}`, async () => {
          const listener: UpgradeListener = (req, socket, head) => {
            setTimeout(() => echo(req, socket, head), wait);
          };
          const behind = "early".repeat(40_000);
          await playUpgrade(way, engine, { upgrade: listener }, async ({ peer }) => {
            peer.asks({}, behind);
            expect((await peer.head()).status).toBe(101);
            peer.sends("late");
            expect((await peer.reads(behind.length + 4)) === `${behind}late`).toBe(true);
          });
        });
      }
    });
  }
});

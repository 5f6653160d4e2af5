/**
 * Upgrade requests that are refused: what an application writes raw becomes an ordinary, whole response.
 * Each is compared with what a client of node's own server sees; only hop-by-hop fields and the date are the front
 * server's. One of the behaviour suites, by a peer of bytes.
 */
import { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { pause } from "../support/behaviour.ts";
import { eachEngine } from "../support/transcript.ts";
import {
  OUR_WAYS,
  playUpgrade,
  type UpgradeListener,
  type UpgradeWay,
} from "../support/upgrade-peer.ts";

const PLAIN = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/html\r\n";

/** How applications refuse. */
const REFUSALS: Readonly<Record<string, UpgradeListener>> = {
  "in one write, then destroy": (_req, socket) => {
    socket.write("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n");
    socket.destroy();
  },
  "as ws does": (_req, socket) => {
    socket.once("finish", () => socket.destroy());
    socket.end(`${PLAIN}Content-Length: 11\r\n\r\nBad Request`);
  },
  "without a length": (_req, socket) => {
    socket.write(`${PLAIN}\r\nno`);
    socket.end(" way");
  },
  "byte by byte": (_req, socket) => {
    for (const byte of `${PLAIN}Content-Length: 4\r\n\r\nbyte`) socket.write(byte);
    socket.end();
  },
  "byte by byte, later, in latin1": async (_req, socket) => {
    for (const byte of `${PLAIN}X-Name: \xe9\r\nContent-Length: 4\r\n\r\nb\xfcte`) {
      await pause(0);
      socket.write(byte, "latin1");
    }
    socket.end();
  },
  "by a ServerResponse": (req, socket) => {
    const res = new ServerResponse(req);
    res.assignSocket(socket as Socket);
    res.on("finish", () => socket.end());
    res.writeHead(403, "No", { "X-Why": "because", "Set-Cookie": ["a=1", "b=2"] });
    res.write("first ");
    setTimeout(() => res.end("second"), 10);
  },
  "by a ServerResponse with a length": (req, socket) => {
    const res = new ServerResponse(req);
    res.assignSocket(socket as Socket);
    res.on("finish", () => socket.end());
    res.statusCode = 404;
    res.end("nothing here");
  },
  "after an informational answer": (_req, socket) => {
    socket.write("HTTP/1.1 102 Processing\r\n\r\n");
    socket.end("HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n");
  },
  "without a body": (_req, socket) => {
    socket.end("HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 10\r\n\r\n");
  },
  "in chunks with extensions and trailers": (_req, socket) => {
    socket.write(`${PLAIN}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n`);
    socket.end("0\r\nX-Trailer: 1\r\n\r\n");
  },
};

interface Refused {
  readonly status: number;
  readonly reason: string;
  readonly fields: Record<string, string>;
  readonly body: string;
}

/** Takes chunks off, as an HTTP client does. */
function unchunked(body: string): string {
  const [, digits, rest = ""] = /^([0-9a-f]+)[^\r]*\r\n([\s\S]*)$/i.exec(body) ?? [];
  const size = Number.parseInt(digits ?? "0", 16);
  return size === 0 ? "" : rest.slice(0, size) + unchunked(rest.slice(size + 2));
}

/** Fields that belong to a connection, or that the web server writes. */
const OF_CONNECTION = ["connection", "keep-alive", "transfer-encoding", "date"];

async function refused(
  way: UpgradeWay,
  engine: Parameters<typeof playUpgrade>[1],
  listener: UpgradeListener,
): Promise<Refused> {
  return await playUpgrade(way, engine, { upgrade: listener }, async ({ peer, errors }) => {
    peer.asks();
    let head = await peer.head();
    while (head.status < 200) head = await peer.head();
    const body = await peer.readsToEnd();
    expect(errors).toEqual([]);
    const isChunked = head.fields["transfer-encoding"] === "chunked";
    const fields = Object.entries(head.fields).filter(([name]) => !OF_CONNECTION.includes(name));
    return {
      status: head.status,
      reason: head.reason,
      fields: Object.fromEntries(fields),
      body: isChunked ? unchunked(body) : body,
    };
  });
}

for (const way of OUR_WAYS) {
  eachEngine(`a refused upgrade over ${way}`, (engine) => {
    describe(`a refused upgrade over ${way} · ${engine}`, () => {
      test.for(Object.entries(REFUSALS))("%s: is a whole response", async ([, listener]) => {
        const ours = await refused(way, engine, listener);
        expect(ours).toEqual(await refused("node", engine, listener));
        expect(ours.status).toBeGreaterThan(299);
      });
    });
  });
}

for (const way of ["fastcgi", "scgi"] as const) {
  eachEngine(`an upgrade over ${way} whose listener fails`, (engine) => {
    describe(`an upgrade over ${way} whose listener fails · ${engine}`, () => {
      test("by throwing: the client gets a 500, the operator the error", async () => {
        const listener = (): void => {
          throw new Error("broken listener");
        };
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer, errors }) => {
          peer.asks();
          expect((await peer.head()).status).toBe(500);
          expect(await peer.readsToEnd()).toBe("500 Internal Server Error\n");
          expect(errors).toMatchObject([{ message: "broken listener" }]);
        });
      });

      test("by writing no response head: the operator is told what to write", async () => {
        const listener: UpgradeListener = (_req, socket) => void socket.write("hello");
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer, errors }) => {
          peer.asks();
          await expect(peer.head()).rejects.toThrow("no head");
          expect(errors).toMatchObject([{ code: "ERR_USAGE" }]);
          expect(String(errors[0])).toContain("write `HTTP/1.1 101 Switching Protocols`");
        });
      });

      test("by a field that node would not set: the operator hears of it", async () => {
        const listener: UpgradeListener = (_req, socket) =>
          void socket.write("HTTP/1.1 403 No\r\nX-Bad: a\0b\r\n\r\n");
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer, errors }) => {
          peer.asks();
          await expect(peer.head()).rejects.toThrow("no head");
          expect(errors).toMatchObject([{ code: "ERR_INVALID_CHAR" }]);
        });
      });

      test.for([
        ["before any answer", ""],
        ["in the middle of its head", "HTTP/1.1 403 For"],
      ])("by a destroy %s: the front server sees a failure", async ([, text]) => {
        const listener: UpgradeListener = (_req, socket) => {
          if (text !== "") socket.write(text);
          socket.destroy();
        };
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer }) => {
          peer.asks();
          await expect(peer.head()).rejects.toThrow("no head");
        });
      });

      test("by fewer bytes than its Content-Length promised: the front server sees a failure", async () => {
        const listener: UpgradeListener = (_req, socket) => {
          socket.write(`${PLAIN}Content-Length: 100\r\n\r\nshort`);
          // Later: a reset that meets the bytes before it looks like an end to libuv's reader.
          setTimeout(() => socket.end(), 50);
        };
        const scene = { upgrade: listener, transport: "tcp" } as const;
        await playUpgrade(way, engine, scene, async ({ peer }) => {
          peer.asks();
          await peer.readsToEnd().catch(() => undefined);
          expect((peer.wire.failed as NodeJS.ErrnoException | undefined)?.code).toBe("ECONNRESET");
        });
      });
    });
  });
}

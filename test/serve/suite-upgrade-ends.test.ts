/**
 * The ends and waits of an upgraded request: who closes, who reads slowly, what deadlines and a stopping server do.
 * Orders of events are compared with node's own server in the same run. One of the behaviour suites, by a peer of bytes.
 */
import type { Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Latch, pause, until } from "../support/behaviour.ts";
import { eachEngine } from "../support/transcript.ts";
import { record, Type } from "../support/transcript-frames.ts";
import {
  OUR_WAYS,
  playUpgrade,
  type UpgradeListener,
  type UpgradePeer,
  type UpgradeScene,
} from "../support/upgrade-peer.ts";

const ACCEPT = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n";

/** Accepts, and writes down what happens to the socket. */
function recording(then: (socket: Socket, log: string[]) => void): {
  listener: UpgradeListener;
  log: string[];
} {
  const log: string[] = [];
  const listener: UpgradeListener = (_req, duplex) => {
    const socket = duplex as Socket;
    for (const name of ["finish", "end"]) socket.on(name, () => log.push(name));
    socket.on("error", (error: NodeJS.ErrnoException) => log.push(`error ${error.code}`));
    socket.on("close", (failed: unknown) => log.push(`close ${failed === true}`));
    socket.write(ACCEPT);
    then(socket, log);
  };
  return { listener, log };
}

/** Whether all four flags are as they should be after the end. */
const flags = (socket: Socket): string =>
  JSON.stringify([socket.destroyed, socket.readableEnded, socket.writableFinished, socket.closed]);

interface Ending {
  readonly application: (socket: Socket, log: string[]) => void;
  readonly peer: (peer: UpgradePeer) => Promise<unknown>;
}

const ENDINGS: Readonly<Record<string, Ending>> = {
  "the application ends, then the client": {
    application: (socket) => socket.resume().end("bye"),
    peer: async (peer) => {
      const text = await peer.readsToEnd();
      peer.ends();
      return text;
    },
  },
  "the client ends, the application answers that": {
    application: (socket) => socket.resume().on("end", () => socket.end("bye")),
    peer: async (peer) => {
      await peer.head();
      peer.sends("x");
      peer.ends();
      return await peer.readsToEnd();
    },
  },
  "the client ends, the application goes on for a while": {
    application: (socket) =>
      socket.resume().on("end", async () => {
        for (const word of ["one ", "two ", "three"]) {
          await pause(10);
          socket.write(word);
        }
        socket.end();
      }),
    peer: async (peer) => {
      await peer.head();
      peer.ends();
      return await peer.readsToEnd();
    },
  },
  "the application destroys": {
    application: (socket) => void setTimeout(() => socket.destroy(), 20),
    peer: (peer) => peer.readsToEnd(),
  },
  "the application destroys with an error": {
    application: (socket) =>
      void setTimeout(() => socket.destroy(Object.assign(new Error("x"), { code: "X" })), 20),
    peer: (peer) => peer.readsToEnd(),
  },
  "the application is done with it": {
    application: (socket) => void setTimeout(() => socket.resume().destroySoon(), 20),
    peer: async (peer) => {
      const text = await peer.readsToEnd();
      peer.ends();
      return text;
    },
  },
  "the client is gone": {
    application: (socket) => socket.resume().on("end", () => socket.end()),
    peer: async (peer) => {
      await peer.head();
      peer.leaves();
    },
  },
  "the client is gone, and nobody has read what it sent": {
    application: (socket, log) => {
      socket.on("end", () => socket.end());
      setTimeout(() => socket.on("data", (chunk) => log.push(String(chunk))), 60);
    },
    peer: async (peer) => {
      await peer.head();
      peer.sends("last words");
      await pause(20);
      peer.leaves();
    },
  },
};

for (const way of OUR_WAYS) {
  eachEngine(`the end of an upgrade over ${way}`, (engine) => {
    describe(`the end of an upgrade over ${way} · ${engine}`, () => {
      for (const transport of ["unix", "tcp"] as const) {
        test.for(Object.entries(ENDINGS))(
          `%s: as node's own, over ${transport}`,
          async ([, ending]) => {
            const play = async (who: typeof way | "node"): Promise<unknown> => {
              let seen: Socket | undefined;
              const { listener, log } = recording((socket, log) => {
                seen = socket;
                ending.application(socket, log);
              });
              const scene = { upgrade: listener, transport };
              const text = await playUpgrade(who, engine, scene, async ({ peer }) => {
                peer.asks();
                const said = await ending.peer(peer);
                await until(() => log.some((line) => line.startsWith("close")));
                return said;
              });
              return {
                text: String(text).replace(/^[\s\S]*\r\n\r\n/, ""),
                log,
                flags: flags(seen!),
              };
            };
            expect(await play(way)).toEqual(await play("node"));
          },
        );
      }

      test("bytes that nobody reads stop the front server, and all of them come in the end", async () => {
        const begins = new Latch();
        const done = new Latch<number>();
        const { listener } = recording((socket) => {
          let bytes = 0;
          void begins.opened.then(() => {
            socket.on("data", (chunk: Buffer) => {
              bytes += chunk.length;
            });
            socket.on("end", () => {
              done.open(bytes);
              socket.end();
            });
          });
        });
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer }) => {
          peer.asks();
          await peer.head();
          const piece = Buffer.alloc(65_000, 0x61);
          for (let i = 0; i < 200; i++) peer.sends(piece);
          // More than window and kernel hold: the rest has to wait here.
          const { socket } = peer.wire;
          let before = -1;
          await until(() => {
            const stands = socket.writableLength === before;
            before = socket.writableLength;
            return stands;
          });
          await pause(100);
          expect(socket.writableLength).toBeGreaterThan(65_000 * 100);
          begins.open();
          peer.ends();
          expect(await done.opened).toBe(65_000 * 200);
        });
      });

      test("a client that reads nothing makes the application wait for 'drain'", async () => {
        const stands = new Latch<Socket>();
        const size = 65_000;
        const { listener } = recording((socket) => {
          let left = 60;
          const go = (): void => {
            while (left > 0) {
              left--;
              if (!socket.write(Buffer.alloc(size, 0x62))) {
                socket.once("drain", go);
                setTimeout(() => stands.open(socket), 300);
                return;
              }
            }
            socket.end();
          };
          go();
        });
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer }) => {
          peer.wire.socket.pause();
          peer.asks();
          const socket = await stands.opened;
          expect(socket.writableNeedDrain).toBe(true);
          expect(socket.writableLength).toBeGreaterThan(0);
          // Its high-water mark, and the write that passed it.
          expect(socket.writableLength).toBeLessThanOrEqual(16_384 + 2 * size);
          peer.wire.socket.resume();
          await peer.head();
          expect((await peer.readsToEnd()).length).toBe(60 * size);
        });
      });

      test("deadlines of requests leave it alone (timeouts.body, idle, request)", async () => {
        const { listener, log } = recording((socket) => {
          socket.on("data", (chunk) => socket.write(chunk));
        });
        const timeouts = { head: 300, body: 300, idle: 300, request: 300 };
        await playUpgrade(way, engine, { upgrade: listener, timeouts }, async ({ peer }) => {
          peer.asks();
          await peer.head();
          await pause(1_800);
          peer.sends("alive");
          expect(await peer.reads(5)).toBe("alive");
          expect(log).toEqual([]);
        });
      });

      test("closeAllConnections() destroys it at once", async () => {
        const { listener, log } = recording((socket) => void socket.resume());
        await playUpgrade(way, engine, { upgrade: listener }, async ({ peer, server }) => {
          peer.asks();
          await peer.head();
          server.closeAllConnections();
          await peer.readsToEnd();
          await until(() => log.includes("close false"));
        });
      });

      test("close() waits for it, and ends it after timeouts.drain", async () => {
        const { listener, log } = recording((socket) => {
          socket.on("data", (chunk) => socket.write(chunk));
        });
        const scene: UpgradeScene = { upgrade: listener, timeouts: { drain: 600 } };
        await playUpgrade(way, engine, scene, async ({ peer, server }) => {
          peer.asks();
          await peer.head();
          const began = performance.now();
          const closed = new Promise((resolve) => server.close(resolve));
          await pause(100);
          peer.sends("alive");
          expect(await peer.reads(5)).toBe("alive");
          await closed;
          expect(performance.now() - began).toBeGreaterThan(500);
          await until(() => log.includes("close false"));
        });
      });
    });
  });
}

describe("one side of an upgrade that has ended", () => {
  for (const way of ["fastcgi", "scgi"] as const) {
    eachEngine(`one ended side over ${way}`, (engine) => {
      test(`is not left alone for longer than timeouts.idle · ${way} · ${engine}`, async () => {
        const { listener, log } = recording((socket) => void socket.resume());
        const scene: UpgradeScene = { upgrade: listener, timeouts: { idle: 300 } };
        await playUpgrade(way, engine, scene, async ({ peer }) => {
          peer.asks();
          await peer.head();
          peer.ends();
          await peer.readsToEnd();
          await until(() => log.length > 1);
          expect(log).toEqual(["end", "close false"]);
        });
      });
    });
  }
});

eachEngine("an aborted upgrade", (engine) => {
  test(`ABORT_REQUEST closes it, and gets its END_REQUEST (FastCGI §5.4) · ${engine}`, async () => {
    const { listener, log } = recording((socket) => void socket.resume());
    await playUpgrade("fastcgi", engine, { upgrade: listener }, async ({ peer }) => {
      peer.asks();
      await peer.head();
      peer.wire.write(record({ type: Type.ABORT }));
      const records = [await peer.wire.readRecord(), await peer.wire.readRecord()];
      expect(records.map(({ type }) => type)).toEqual([Type.STDOUT, Type.END]);
      await until(() => log.length > 0);
      expect(log).toEqual(["close false"]);
    });
  });
});

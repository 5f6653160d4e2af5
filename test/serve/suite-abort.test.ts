/**
 * A client that leaves while its handler waits: how soon and where that is seen, and that ten thousand of them leave
 * nothing behind. Bytes are written by hand, so that the close is the front server's; a full close is one on unix
 * sockets, a FIN or a reset on TCP (docs/decisions/half-close.md; half-closes are in connection/transcript/endings.test.ts).
 */
import { readdirSync } from "node:fs";
import { IncomingMessage, type ServerResponse } from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { GatewayRequest } from "../../src/handler/node/request.ts";
import type { Application } from "../../src/serve/application.ts";
import { until } from "../support/behaviour.ts";
import {
  eachEngine,
  type FramedProtocol,
  play,
  SECRET,
  type Stage,
} from "../support/transcript.ts";
import {
  bodyPacket,
  fastcgiRequest,
  forwardRequest,
  record,
  scgiRequest,
  Type,
} from "../support/transcript-frames.ts";

const SEEN_MS = 100;
/** The best of so many counts: a busy machine may be late once, a timer in the way is late always. */
const TRIES = 5;
const PROTOCOLS: readonly FramedProtocol[] = ["fastcgi", "scgi", "ajp"];

const requests: Readonly<Record<FramedProtocol, Buffer>> = {
  fastcgi: fastcgiRequest({ keep: true }),
  scgi: scgiRequest(),
  ajp: forwardRequest({ secret: SECRET }),
};
const posts: Readonly<Record<FramedProtocol, Buffer>> = {
  fastcgi: fastcgiRequest({ keep: true, body: "hello" }),
  scgi: scgiRequest({ body: "hello" }),
  ajp: Buffer.concat([
    forwardRequest({ method: 4, headers: { "Content-Length": "5" }, secret: SECRET }),
    bodyPacket("hello"),
  ]),
};

/** One request as its handler has it. */
interface Held {
  readonly req: GatewayRequest;
  readonly res: ServerResponse;
  /** Places where the end was seen, in their order, and when the first was. */
  readonly seen: string[];
  seenMs: number;
}

/** Handlers that wait for ever, and where each says what it has. */
function waiting(read: boolean): { held: Held[]; handler: Application } {
  const held: Held[] = [];
  const handler = (req: GatewayRequest, res: ServerResponse): void => {
    const one: Held = { req, res, seen: [], seenMs: 0 };
    const note = (place: string) => (): void => {
      one.seenMs ||= performance.now();
      one.seen.push(place);
    };
    req.on("aborted", note("req aborted")).on("close", note("req close"));
    req.on("error", () => undefined);
    res.on("close", note("res close"));
    req.gateway.signal.addEventListener("abort", note("gateway.signal"));
    // Node 24 and newer.
    const { signal } = req as { signal?: AbortSignal };
    signal?.addEventListener("abort", note("req.signal"));
    if (read) req.on("end", () => held.push(one)).resume();
    else held.push(one);
  };
  return { held, handler };
}

/** Everywhere an abort has to show; a request that was read to its end has closed before. */
const PLACES: readonly string[] = [
  "gateway.signal",
  ...("signal" in IncomingMessage.prototype ? ["req.signal"] : []),
  "req aborted",
  "req close",
  "res close",
].sort();

/** Ways to leave. */
const LEAVES: readonly [string, (stage: Stage, bytes: Buffer) => Promise<() => void>][] = [
  [
    "closes",
    async (stage, bytes) => {
      const peer = await stage.connect();
      peer.sends(bytes);
      return () => peer.socket.destroy();
    },
  ],
  [
    "resets",
    async (stage, bytes) => {
      const peer = await stage.connect();
      peer.sends(bytes);
      return () => peer.socket.resetAndDestroy();
    },
  ],
  [
    "sends ABORT_REQUEST",
    async (stage, bytes) => {
      const peer = await stage.connect();
      peer.sends(bytes);
      return () => peer.sends(record({ type: Type.ABORT }));
    },
  ],
];

describe("a client that leaves a handler that waits (X-9)", () => {
  for (const protocol of PROTOCOLS) {
    for (const transport of ["unix", "tcp"] as const) {
      for (const [how, open] of LEAVES) {
        if (how === "resets" && transport === "unix") continue;
        if (how === "sends ABORT_REQUEST" && protocol !== "fastcgi") continue;
        for (const [what, bytes, read] of [
          ["nothing to read", requests[protocol], false],
          ["the body read", posts[protocol], true],
          ["the body unread", posts[protocol], false],
        ] as const) {
          const title = `is seen within ${SEEN_MS} ms: ${how}, ${what} · ${protocol} ${transport}`;
          eachEngine(title, (engine) => {
            test(`${title} · ${engine}`, async () => {
              const { held, handler } = waiting(read);
              const places = read ? PLACES.filter((place) => !/^req /.test(place)) : PLACES;
              await play({ protocol, transport, handler }, engine, async (stage) => {
                const waitsMs: number[] = [];
                for (let i = 0; i < TRIES; i++) {
                  const leave = await open(stage, bytes);
                  await until(() => held.length > i);
                  const one = held[i]!;
                  expect([one.req.destroyed && !read, one.res.destroyed]).toEqual([false, false]);
                  const leftMs = performance.now();
                  leave();
                  await until(() => places.every((place) => one.seen.includes(place)));
                  waitsMs.push(one.seenMs - leftMs);
                  const { req, res } = one;
                  expect([req.destroyed, res.destroyed, req.gateway.aborted]).toEqual([
                    true,
                    true,
                    true,
                  ]);
                  expect(res.writableEnded).toBe(false);
                }
                expect(Math.min(...waitsMs)).toBeLessThan(SEEN_MS);
                expect(stage.errors).toEqual([]);
              });
            });
          });
        }
      }
    }
  }
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Counts of what a process holds open. */
function holdings(): { descriptors: number; resources: Record<string, number> } {
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  const { Timeout: _timers, Immediate: _immediates, ...handles } = resources;
  return { descriptors: readdirSync("/proc/self/fd").length, resources: handles };
}

/** How many clients leave in each run; `npm run test:full` has the full number on each protocol and engine. */
const COUNT = process.env["POSTERN_TEST_FULL"] === "1" ? 10_000 : 2_000;
const AT_ONCE = 20;
const onLinux = process.platform === "linux";

describe.skipIf(!onLinux)(`${COUNT} clients that leave (X-9; skipped: /proc is Linux's)`, () => {
  for (const [way, protocol, open] of [
    ...PROTOCOLS.map((protocol) => ["closing", protocol, LEAVES[0]![1]] as const),
    ["by ABORT_REQUEST", "fastcgi", LEAVES[2]![1]],
  ] as const) {
    const title = `leave no request, listener or descriptor behind, ${way} · ${protocol}`;
    eachEngine(title, (engine) => {
      test(`${title} · ${engine}`, async () => {
        let answers = false;
        let begun = 0;
        let closed = 0;
        const sample: WeakRef<IncomingMessage>[] = [];
        const handler = (req: GatewayRequest, res: ServerResponse): unknown => {
          if (answers) return res.end("hi");
          begun++;
          if (begun % 100 === 0) sample.push(new WeakRef(req));
          res.on("close", () => closed++);
          req.gateway.signal.addEventListener("abort", () => undefined);
          return undefined;
        };
        const scene = { protocol, handler, limits: { requests: AT_ONCE } };
        await play(scene, engine, async (stage) => {
          const round = async (): Promise<void> => {
            const target = begun + AT_ONCE;
            const leaves = await Promise.all(
              Array.from({ length: AT_ONCE }, () => open(stage, requests[protocol])),
            );
            await until(() => begun === target);
            for (const leave of leaves) leave();
            await until(() => closed === target);
          };
          // The first rounds fill caches.
          for (let i = 0; i < 5; i++) await round();
          await clear(stage);
          const before = holdings();
          const beforeBytes = process.memoryUsage().heapUsed;
          while (begun < COUNT) await round();
          await clear(stage);
          await until(() => holdings().descriptors <= before.descriptors);
          expect(holdings()).toEqual(before);
          expect(sample.filter((one) => one.deref() !== undefined).length).toBeLessThan(3);
          // Test peers and code that got compiled are in it; a leaked request with its socket alone is 5 KB.
          const grownBytes = process.memoryUsage().heapUsed - beforeBytes;
          expect(grownBytes).toBeLessThan(COUNT * 1_000);
          // Every place for a request is free again: none of these is refused.
          answers = true;
          const peers = await Promise.all(Array.from({ length: AT_ONCE }, () => stage.connect()));
          for (const peer of peers) peer.sends(requests[protocol]);
          for (const peer of peers) expect((await peer.answer()).status).toBe(200);
          expect(stage.errors).toEqual([]);
        });
      }, 120_000);
    });
  }
});

/** Connections that the server has now, as `getConnections` counts them. */
function connectionsOf(stage: Stage): number {
  return (stage.server as unknown as { _connections: number })._connections;
}

/** Hangs up for the peers that were kept, and waits until the server has let go of all. */
async function clear(stage: Stage): Promise<void> {
  stage.hangUp();
  await until(() => connectionsOf(stage) === 1);
  // What is held for a turn of the event loop more.
  await new Promise((resolve) => setTimeout(resolve, 50));
  collectGarbage();
}

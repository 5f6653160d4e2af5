/**
 * Several FastCGI requests on one connection (`multiplex: true`): their streams, their windows, their failures.
 * The protocol has no flow control, so one that does not read is refused in the end (docs/errors.md, ERR_LIMIT_WINDOW).
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect } from "vitest";
import { ERRORS } from "../../../src/errors.ts";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { echo, echoed, Latch, pause, readAll } from "../../support/behaviour.ts";
import { transcript } from "../../support/transcript.ts";
import {
  begin,
  fastcgiRequest,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../../support/transcript-frames.ts";

const multiplex = true;
const head = (id: number, variables: Record<string, string> = {}): Buffer =>
  Buffer.concat([begin(id, { keep: true }), params(id, { ...USUAL, ...variables })]);
const piece = (id: number, content: string): Buffer => record({ type: Type.STDIN, id, content });

describe("requests that share a connection", () => {
  transcript(
    "are served side by side and answered in the order in which they are ready (F09)",
    { handler: echo, multiplex },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), begin(3, { keep: true }));
      peer.sends(params(3, { ...USUAL, REQUEST_URI: "/three" }));
      peer.sends(
        params(1, { ...USUAL, REQUEST_URI: "/one" }),
        piece(1, "a"),
        piece(3, "x"),
        piece(1, "b"),
        piece(3, "y"),
      );
      peer.sends(stdin(3, "z"));
      const three = await peer.answer();
      expect([three.id, echoed(three).url, echoed(three).body]).toEqual([3, "/three", "xyz"]);
      peer.sends(stdin(1, "c"));
      const one = await peer.answer();
      expect([one.id, echoed(one).url, echoed(one).body]).toEqual([1, "/one", "abc"]);
      await peer.expectsSilence();
    },
  );

  transcript(
    "answer in whole records that never mix (100 at once, D-3)",
    {
      multiplex,
      handler: async (req, res) => {
        const body = req.url!.repeat(2_000);
        for (let i = 0; i < 4; i++) {
          res.write(body);
          await pause(Number(req.url!.slice(1)) % 7);
        }
        res.end();
      },
    },
    async ({ peer }) => {
      const ids = Array.from({ length: 100 }, (_, i) => i + 1);
      peer.sends(
        ...ids.map((id) => fastcgiRequest({ id, keep: true, params: { REQUEST_URI: `/${id}` } })),
      );
      for (let left = 100; left > 0; left--) {
        const answer = await peer.answer();
        expect(answer.body === `/${answer.id}`.repeat(8_000)).toBe(true);
        ids.splice(ids.indexOf(answer.id), 1);
      }
      expect(ids).toEqual([]);
    },
  );

  transcript(
    "over limits.requestsPerConnection get 503 and OVERLOADED, and the others go on",
    { multiplex, handler: echo, limits: { requestsPerConnection: 2 } },
    async ({ peer }) => {
      expect(ERRORS.FCGI_OVERLOADED.status).toBe(503);
      peer.sends(head(1), head(2), head(3));
      expect(await peer.answer()).toMatchObject({ id: 3, status: 503, protocolStatus: 2 });
      peer.sends(stdin(2), stdin(1));
      expect(await peer.answer()).toMatchObject({ id: 2, status: 200 });
      expect(await peer.answer()).toMatchObject({ id: 1, status: 200 });
    },
  );

  transcript(
    "do not see each other's AsyncLocalStorage, also of one read (NH-11)",
    () => {
      const storage = new AsyncLocalStorage<string>();
      return {
        multiplex,
        handler: (req, res) => {
          const before = storage.getStore() ?? "nothing";
          storage.enterWith(req.url ?? "");
          setImmediate(() => res.end(`${before} ${storage.getStore()}`));
        },
      };
    },
    async ({ peer }) => {
      peer.sends(
        ...[1, 2].map((id) =>
          fastcgiRequest({ id, keep: true, params: { REQUEST_URI: `/${id}` } }),
        ),
      );
      expect((await peer.answer()).body).toBe("nothing /1");
      expect((await peer.answer()).body).toBe("nothing /2");
    },
  );
});

describe("a request that goes wrong on a shared connection", () => {
  transcript(
    "before its head: gets its 400, the others are served",
    { multiplex, handler: echo },
    async ({ peer }) => {
      peer.sends(head(1), head(2, { REQUEST_METHOD: "G ET" }), stdin(2));
      expect(await peer.answer()).toMatchObject({ id: 2, status: 400 });
      peer.sends(head(3), stdin(3, "three"), stdin(1, "one"));
      expect(echoed(await peer.answer()).body).toBe("three");
      expect(echoed(await peer.answer()).body).toBe("one");
      await peer.expectsSilence();
    },
  );

  const thrower: NodeHandler = async (req, res) => {
    if (req.url === "/") return echo(req, res);
    if (req.url === "/late") res.write("half");
    await pause(10);
    if (req.url === "/destroy") return res.destroy();
    throw new Error("on purpose");
  };

  transcript(
    "after its head: its END_REQUEST has an appStatus, the others are served",
    { multiplex, handler: thrower },
    async ({ peer }) => {
      peer.sends(head(1), fastcgiRequest({ id: 2, keep: true, params: { REQUEST_URI: "/late" } }));
      expect(await peer.answer()).toMatchObject({ id: 2, status: 200, body: "half", appStatus: 1 });
      peer.sends(stdin(1, "one"));
      expect(echoed(await peer.answer()).body).toBe("one");
    },
  );

  transcript(
    "destroyed by its handler before its head: 500, never a bare end",
    { multiplex, handler: thrower },
    async ({ peer }) => {
      peer.sends(
        head(1),
        fastcgiRequest({ id: 2, keep: true, params: { REQUEST_URI: "/destroy" } }),
      );
      expect(await peer.answer()).toMatchObject({ id: 2, status: 500, appStatus: 1 });
      peer.sends(stdin(1, "one"));
      expect(echoed(await peer.answer()).body).toBe("one");
    },
  );

  let heard = new Latch();
  transcript(
    "alone on its connection is broken off like any other",
    () => {
      heard = new Latch();
      const handler: NodeHandler = async (_req, res) => {
        res.write("half");
        // libuv tells a client of an end where data and reset meet: the data has to be read before.
        await heard.opened;
        throw new Error("on purpose");
      };
      return { multiplex, handler, transport: "tcp" };
    },
    async ({ peer }) => {
      peer.sends(fastcgiRequest({ id: 2, keep: true }));
      await peer.readSome();
      heard.open();
      await peer.expectsReset();
    },
  );
});

describe("a request that does not read its body", () => {
  /** Reads only what is asked of it at /read. */
  const lazy =
    (release: Promise<void>): NodeHandler =>
    async (req, res) => {
      if (req.url === "/lazy") await release;
      res.end(`${req.url} ${(await readAll(req)).length}`);
    };

  transcript(
    "is refused with 503 after a second when it fills its window, and only it",
    () => {
      return {
        multiplex,
        handler: lazy(new Promise(() => undefined)),
        limits: { windowBytes: 100_000 },
      };
    },
    async ({ peer }) => {
      expect(ERRORS.LIMIT_WINDOW.status).toBe(503);
      peer.sends(head(1, { REQUEST_URI: "/lazy" }), head(2, { REQUEST_URI: "/read" }));
      const began = performance.now();
      peer.sends(
        piece(1, "x".repeat(60_000)),
        piece(1, "x".repeat(60_000)),
        piece(1, "x".repeat(60_000)),
      );
      await pause(30);
      peer.sends(piece(2, "y".repeat(60_000)), stdin(2), stdin(1, "x".repeat(60_000)));
      expect(await peer.answer()).toMatchObject({ id: 1, status: 503, protocolStatus: 0 });
      expect(performance.now() - began).toBeGreaterThan(900);
      expect(await peer.answer()).toMatchObject({ id: 2, status: 200, body: "/read 60000" });
      peer.sends(fastcgiRequest({ id: 1, keep: true, params: { REQUEST_URI: "/again" } }));
      expect(await peer.answer()).toMatchObject({ id: 1, body: "/again 0" });
    },
  );

  transcript(
    "counts against limits.connectionWindowBytes of all together",
    () => {
      return {
        multiplex,
        handler: lazy(new Promise(() => undefined)),
        limits: { windowBytes: 100_000, connectionWindowBytes: 150_000 },
      };
    },
    async ({ peer }) => {
      const heads = [1, 2, 3].map((id) => head(id, { REQUEST_URI: "/lazy" }));
      peer.sends(
        ...heads,
        piece(1, "x".repeat(50_000)),
        piece(2, "x".repeat(50_000)),
        piece(3, "x".repeat(60_000)),
      );
      expect(await peer.answer()).toMatchObject({ id: 3, status: 503 });
      await peer.expectsSilence();
    },
  );

  transcript(
    "holds up the others for as long as it is full, and they go on when it reads",
    () => {
      const release = new Latch();
      setTimeout(release.open, 300);
      return { multiplex, handler: lazy(release.opened), limits: { windowBytes: 100_000 } };
    },
    async ({ peer }) => {
      peer.sends(head(1, { REQUEST_URI: "/lazy" }), head(2, { REQUEST_URI: "/read" }));
      for (let i = 0; i < 5; i++) peer.sends(piece(1, "x".repeat(60_000)));
      peer.sends(stdin(1), stdin(2, "y"));
      const answers = [await peer.answer(), await peer.answer()].map(({ status, body }) => [
        status,
        body,
      ]);
      expect(answers).toContainEqual([200, "/lazy 300000"]);
      expect(answers).toContainEqual([200, "/read 1"]);
    },
  );
});

describe("a draining server", () => {
  transcript(
    "refuses new requests on a shared connection with 503 and finishes the others",
    { multiplex, handler: echo },
    async ({ peer, server }) => {
      peer.sends(head(1));
      await pause(30);
      server.close();
      peer.sends(head(2), stdin(2));
      expect(await peer.answer()).toMatchObject({ id: 2, status: 503 });
      peer.sends(stdin(1, "one"));
      expect(echoed(await peer.answer()).body).toBe("one");
      await peer.expectsClose();
    },
  );
});

/**
 * Peers that send without end: requests, lengths, params, management records, nothing at all (reliability,
 * A good request beside or behind each is served.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { connectionsOf, echo, echoed, hello, until } from "../support/behaviour.ts";
import { type Peer, type Stage, transcript } from "../support/transcript.ts";
import {
  begin,
  bodyPacket,
  CPING,
  fastcgiRequest,
  forwardRequest,
  netstring,
  packet,
  pairs,
  params,
  record,
  scgiRequest,
  stdin,
  Type,
  USUAL,
} from "../support/transcript-frames.ts";

const MIB = 1_048_576;
const isFull = process.env["POSTERN_TEST_FULL"] === "1";

async function servesNext({ connect }: Stage): Promise<void> {
  const other = await connect();
  other.sends(fastcgiRequest());
  expect(await other.answer()).toMatchObject({ status: 200 });
}

/** Writes pieces for as long as the server takes them; what it says is dropped. */
async function pours(peer: Peer, piece: Uint8Array, bytes: number): Promise<void> {
  for (let sent = 0; sent < bytes; sent += piece.length) {
    if (peer.socket.destroyed || peer.socket.writableEnded) return;
    if (!peer.socket.write(piece)) {
      await Promise.race([
        new Promise((resolve) => peer.socket.once("drain", resolve)),
        new Promise((resolve) => peer.socket.once("close", resolve)),
        new Promise((resolve) => peer.socket.once("end", resolve)),
      ]);
    }
  }
}

describe("65,535 requests that begin on one connection", () => {
  const all = Buffer.concat(Array.from({ length: 65_535 }, (_, i) => begin(i + 1, { keep: true })));
  for (const multiplex of [false, true]) {
    transcript(
      `are refused and the connection closed, ${multiplex ? "100 at once are let in" : "one at a time"} (X-1)`,
      { handler: hello, multiplex },
      async (stage) => {
        const before = process.memoryUsage().heapUsed;
        void pours(stage.peer, all, all.length);
        const answer = await stage.peer.readToEnd();
        // Each refusal is a whole answer; a hundred of them at most.
        expect(answer.length).toBeLessThan(100 * 300);
        expect(process.memoryUsage().heapUsed - before).toBeLessThan(32 * MIB);
        await servesNext(stage);
      },
    );
  }
});

describe("a declared length", () => {
  const huge = String(10 ** 15);
  const requests = {
    fastcgi: Buffer.concat([begin(1), params(1, { ...USUAL, CONTENT_LENGTH: huge })]),
    scgi: netstring({ CONTENT_LENGTH: huge, SCGI: "1", ...USUAL }),
    ajp: forwardRequest({ method: 4, headers: { Host: "a.test", "Content-Length": huge } }),
  };
  for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
    transcript(
      `of 10^15 over ${protocol} is a 413 before a byte of it (X-2)`,
      { protocol, handler: hello },
      async ({ peer }) => {
        peer.sends(requests[protocol]);
        expect(await peer.answer()).toMatchObject({ status: 413 });
        await peer.expectsClose();
      },
    );

    transcript(
      `of 10^15 over ${protocol} allocates nothing where no limit forbids it (X-2)`,
      { protocol, handler: hello, limits: { bodyBytes: Infinity } },
      async ({ peer }) => {
        const { arrayBuffers, external } = process.memoryUsage();
        peer.sends(requests[protocol]);
        expect(await peer.answer()).toMatchObject({ status: 200, body: "hi" });
        const after = process.memoryUsage();
        expect(after.arrayBuffers - arrayBuffers).toBeLessThan(8 * MIB);
        expect(after.external - external).toBeLessThan(8 * MIB);
      },
    );
  }
});

describe("params without an end", () => {
  transcript("are a 431 at the limit of their bytes (X-3)", { handler: hello }, async (stage) => {
    const content = pairs(
      Array.from({ length: 60 }, (_, i) => [`N${i}`, "v".repeat(1_000)] as const),
    );
    stage.peer.sends(begin(1, { keep: true }));
    void pours(stage.peer, record({ type: Type.PARAMS, content }), 3 * MIB);
    expect(await stage.peer.answer()).toMatchObject({ status: 431, protocolStatus: 0 });
    await servesNext(stage);
  });

  transcript(
    "in records of one byte are a 431 at the limit of their records, and cost little (X-3)",
    { handler: hello },
    async (stage) => {
      const one = record({ type: Type.PARAMS, content: "\x00" });
      const records = Buffer.concat(Array.from({ length: 11_000 }, () => one));
      stage.peer.sends(begin(1, { keep: true }));
      const before = process.cpuUsage();
      stage.peer.sends(records);
      expect(await stage.peer.answer()).toMatchObject({ status: 431 });
      const { user } = process.cpuUsage(before);
      // 10 us a record is the figure; client, test and both engines share this process.
      expect(user).toBeLessThan(11_000 * 40);
      await servesNext(stage);
    },
  );
});

describe("a flood of records", () => {
  for (const [what, one] of [
    ["GET_VALUES", record({ type: Type.GET_VALUES, id: 0, content: pairs({ FCGI_MAX_REQS: "" }) })],
    ["unknown types", record({ type: 77, id: 0 })],
    ["unknown ids", record({ type: Type.STDIN, id: 9, content: "x".repeat(100) })],
  ] as const) {
    transcript(
      `of ${what}, 100,000 of them: a hundred answers at most, then a close (X-10)`,
      { handler: hello },
      async (stage) => {
        const many = Buffer.concat(Array.from({ length: 1_000 }, () => one));
        void pours(stage.peer, many, 100 * many.length);
        expect((await stage.peer.readToEnd()).length).toBeLessThan(100 * 64);
        await servesNext(stage);
      },
    );
  }
});

describe("nothing at all", () => {
  const empty: NodeHandler = async (req, res) => {
    for (let i = 0; i < 50; i++) {
      res.write("");
      res.write(Buffer.alloc(0));
      if (i === 20) res.flushHeaders();
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    req.gateway.errors.write("");
    res.write("one");
    for (let i = 0; i < 50; i++) res.write(Buffer.alloc(0));
    res.end("");
  };
  for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
    const requests = { fastcgi: fastcgiRequest(), scgi: scgiRequest(), ajp: forwardRequest() };
    transcript(
      `written a hundred times over ${protocol} ends no stream and sends nothing (X-13)`,
      { protocol, handler: empty },
      async ({ peer }) => {
        peer.sends(requests[protocol]);
        expect(await peer.answer()).toMatchObject({ status: 200, body: "one" });
      },
    );
  }

  transcript(
    "in a thousand empty packets is ignored, and CPING between them answered (X-13)",
    { protocol: "ajp", handler: hello },
    async ({ peer }) => {
      peer.sends(...Array.from({ length: 1_000 }, () => packet("")), CPING);
      expect(await peer.reads(5)).toBe("4142000109");
      peer.sends(forwardRequest());
      expect(await peer.answer()).toMatchObject({ status: 200 });
    },
  );

  transcript(
    "in empty records of an unknown type inside a request is skipped (X-13)",
    { handler: echo },
    async ({ peer }) => {
      const nothing = record({ type: 99, id: 1 });
      peer.sends(begin(1), ...Array.from({ length: 500 }, () => nothing), params(1, USUAL));
      peer.sends(...Array.from({ length: 500 }, () => nothing), stdin(1, "body"));
      expect(echoed(await peer.answer()).body).toBe("body");
    },
  );
});

describe.each(["fastcgi", "scgi", "ajp"] as const)("clients that leave, over %s", (protocol) => {
  const count = isFull ? 10_000 : 150;
  const whole = {
    fastcgi: fastcgiRequest({ body: "b".repeat(300) }),
    scgi: scgiRequest({ body: "b".repeat(300) }),
    ajp: Buffer.concat([
      forwardRequest({ method: 4, headers: { "Content-Length": "300" } }),
      bodyPacket("b".repeat(300)),
    ]),
  }[protocol];
  let running = 0;
  const handler: NodeHandler = (req, res) => {
    running++;
    res.on("close", () => running--);
    if (req.url === "/" && req.headers["content-length"] === undefined) return void res.end("hi");
    req.resume();
    // Some answer, some stream, some wait.
    if (running % 3 === 0) res.write("begun");
    else if (running % 3 === 1) req.on("end", () => res.end("whole"));
  };
  transcript(
    `${count} of them, at any byte: no request and no connection is left (X-9)`,
    { protocol, handler },
    async ({ connect, server, peer }) => {
      running = 0;
      for (let i = 0; i < count; i += 50) {
        const peers = await Promise.all(Array.from({ length: 50 }, connect));
        for (const [at, one] of peers.entries()) {
          one.sends(whole.subarray(0, ((i + at) * 7) % (whole.length + 1)));
          if (at % 2 === 0) one.socket.destroy();
          else setImmediate(() => one.socket.destroy());
        }
      }
      await until(async () => (await connectionsOf(server)) === 1);
      await until(() => running === 0);
      peer.sends(
        { fastcgi: fastcgiRequest(), scgi: scgiRequest(), ajp: forwardRequest() }[protocol],
      );
      expect((await peer.answer()).status).toBe(200);
    },
  );
});

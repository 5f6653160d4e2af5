/**
 * How many writes and reads an exchange takes: a small answer is one write, whatever parts it is made of.
 * Counted at the sockets of the server; the peer counts what comes in one piece.
 */
import type { Socket } from "node:net";
import { describe, expect, vi } from "vitest";
import type { NodeHandler } from "../../../src/serve/application.ts";
import { recordAddonCalls } from "../../support/addon-calls.ts";
import { echo, until } from "../../support/behaviour.ts";
import { type FramedProtocol, type Stage, transcript } from "../../support/transcript.ts";
import {
  bodyPacket,
  fastcgiRequest,
  forwardRequest,
  record,
  scgiRequest,
  Type,
} from "../../support/transcript-frames.ts";

const requests: Readonly<Record<FramedProtocol, Buffer>> = {
  fastcgi: fastcgiRequest({ keep: true }),
  scgi: scgiRequest(),
  ajp: forwardRequest(),
};
const posts: Readonly<Record<FramedProtocol, Buffer>> = {
  fastcgi: fastcgiRequest({ keep: true, body: "hello" }),
  scgi: scgiRequest({ body: "hello" }),
  ajp: Buffer.concat([
    forwardRequest({ method: 4, headers: { "Content-Length": "5" } }),
    bodyPacket("hello"),
  ]),
};

const calls = recordAddonCalls();

/** Sizes of the writes of the next connection's server side. */
async function writesOf(stage: Stage, bytes: Buffer): Promise<number[]> {
  const sizes: number[] = [];
  stage.server.once("connection", (socket: Socket) => {
    if (stage.server.transport?.name === "native") return;
    const { _handle: handle } = socket as unknown as {
      _handle: Record<string, (...given: unknown[]) => number>;
    };
    for (const name of ["writeBuffer", "writev", "writeLatin1String", "writeUtf8String"]) {
      const write = handle[name]!;
      vi.spyOn(handle, name).mockImplementation(function (this: unknown, ...given: unknown[]) {
        sizes.push(given.length);
        return write.apply(this, given);
      });
    }
  });
  const peer = await stage.connect();
  calls.length = 0;
  peer.sends(bytes);
  await peer.answer();
  const isNative = stage.server.transport?.name === "native";
  return isNative ? calls.filter(({ name }) => name.startsWith("send")).map(() => 1) : sizes;
}

const answers: readonly [string, NodeHandler][] = [
  ["res.end(body)", (_req, res) => res.end("hi")],
  ["writeHead and end", (_req, res) => void res.writeHead(200, { "X-A": "1" }).end("hi")],
  [
    "write and end in one tick",
    (_req, res) => {
      res.write("h");
      res.end("i");
    },
  ],
  ["an empty end", (_req, res) => res.end()],
  ["16 KiB", (_req, res) => res.end("x".repeat(16_384))],
  ["100 KB", (_req, res) => res.end(Buffer.alloc(100_000))],
  [
    "an error",
    () => {
      throw new Error("on purpose");
    },
  ],
  ["end after a while", (_req, res) => void setTimeout(() => res.end("hi"), 5)],
];

describe("one write", () => {
  for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
    for (const [what, handler] of answers) {
      transcript(
        `carries head, body and end: ${what} · ${protocol}`,
        { protocol, handler },
        async (stage) => {
          expect(await writesOf(stage, requests[protocol])).toHaveLength(1);
        },
      );
    }

    transcript(
      `carries the answer to a small POST · ${protocol}`,
      { protocol, handler: echo },
      async (stage) => {
        expect(await writesOf(stage, posts[protocol])).toHaveLength(1);
      },
    );
  }
});

describe("one read", () => {
  transcript(
    "may bring several records, and several reads may bring one",
    { handler: echo },
    async ({ peer }) => {
      const whole = fastcgiRequest({ keep: true, body: "x".repeat(70_000) });
      peer.sends(whole);
      expect((await peer.answer()).status).toBe(200);
      for (const byte of fastcgiRequest({ keep: true, body: "y" })) {
        peer.sends(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect((await peer.answer()).status).toBe(200);
    },
  );

  transcript(
    "leaves nothing of one connection to another (D-2)",
    { handler: echo },
    async ({ connect }) => {
      const peers = await Promise.all(Array.from({ length: 20 }, () => connect()));
      const bytes = peers.map((_, i) =>
        fastcgiRequest({
          keep: true,
          params: { REQUEST_URI: `/${i}`, HTTP_X_A: "a".repeat(i * 500) },
          body: String(i).repeat(1_000),
        }),
      );
      const longest = Math.max(...bytes.map((one) => one.length));
      for (let at = 0; at < longest; at += 777) {
        for (const [i, peer] of peers.entries()) peer.sends(bytes[i]!.subarray(at, at + 777));
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const [i, peer] of peers.entries()) {
        const said = JSON.parse((await peer.answer()).body);
        expect([said.url, said.headers["x-a"].length, said.body]).toEqual([
          `/${i}`,
          i * 500,
          String(i).repeat(1_000),
        ]);
      }
    },
  );
});

describe("70,000 requests of one connection (D-3)", () => {
  transcript(
    "a tenth of them, in ids that grow, are all answered",
    { handler: (req, res) => res.end(req.url) },
    async ({ peer }) => {
      let answered = 0;
      for (let id = 1; id <= 65_535; id += 9) {
        peer.sends(fastcgiRequest({ id, keep: true, params: { REQUEST_URI: `/${id}` } }));
        const { type, content } = await peer.readRecord();
        expect(type).toBe(Type.STDOUT);
        expect(content.toString("latin1").endsWith(`\r\n\r\n/${id}`)).toBe(true);
        await peer.read(24);
        answered++;
      }
      expect(answered).toBe(7_282);
      await until(() => true);
      peer.sends(record({ type: Type.GET_VALUES, id: 0 }));
      expect((await peer.readRecord()).type).toBe(Type.GET_VALUES_RESULT);
    },
  );
});

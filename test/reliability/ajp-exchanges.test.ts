/**
 * AJP exchanges packet by packet, each begun by CPING and, where the connection is kept, ended by another
 * (reliability B-50 to B-60).
 */
import { describe, expect } from "vitest";
import { echo, echoed, hello, pause } from "../support/behaviour.ts";
import { type Peer, SECRET, transcript } from "../support/transcript.ts";
import { type Answer, headerOf } from "../support/transcript-answers.ts";
import { bodyPacket, CPING, CPONG, forwardRequest, packet } from "../support/transcript-frames.ts";

const protocol = "ajp";
const post = (headers: readonly (readonly [string, string])[], uri = "/"): Buffer =>
  forwardRequest({ method: 4, uri, headers: [["Host", "a.test"], ...headers] });

async function pings(peer: Peer): Promise<void> {
  peer.sends(CPING);
  expect(await peer.reads(5)).toBe(CPONG.toString("hex"));
}

/** CPING, a request, its answer, and CPING again where the answer keeps the connection. */
async function exchange(peer: Peer, ...bytes: Buffer[]): Promise<Answer> {
  await pings(peer);
  peer.sends(...bytes);
  const answer = await peer.answer();
  if (answer.reuse === true) await pings(peer);
  else await peer.expectsClose();
  return answer;
}

describe("the secret", () => {
  for (const [what, secret, status] of [
    ["none", undefined, 403],
    ["a wrong one", "a secret of sixteen", 403],
    ["the right one", SECRET, 200],
  ] as const) {
    transcript(
      `${what}: ${status}, in three packets, after a CPING that needs none (B-50)`,
      { protocol, handler: hello, transport: "tcp" },
      async ({ peer }) => {
        await pings(peer);
        peer.sends(forwardRequest(secret === undefined ? {} : { secret }));
        const kinds: number[] = [];
        let last: Buffer = Buffer.alloc(0);
        while (kinds.at(-1) !== 5) {
          last = await peer.readPacket();
          kinds.push(last[0]!);
        }
        expect(kinds).toEqual([4, 3, 5]);
        expect(last.toString("hex")).toBe(status === 200 ? "0501" : "0500");
        if (status === 200) await pings(peer);
        else await peer.expectsClose();
      },
    );
  }
});

describe("a connection", () => {
  transcript(
    "serves requests that are far apart, CPING after each (B-51)",
    { protocol, handler: hello },
    async ({ peer }) => {
      for (let i = 0; i < 2; i++) {
        expect(await exchange(peer, forwardRequest())).toMatchObject({ status: 200, reuse: true });
        if (i === 0) await pause(2_000);
      }
    },
  );

  transcript(
    "is kept after a form of nine bytes (B-52)",
    { protocol, handler: echo },
    async ({ peer }) => {
      const headers = [
        ["Content-Type", "application/x-www-form-urlencoded"],
        ["Content-Length", "9"],
      ];
      const form = post(headers as [string, string][]);
      const answer = await exchange(peer, form, bodyPacket("test=data"));
      expect(answer).toMatchObject({ status: 200, reuse: true });
      expect(echoed(answer).body).toBe("test=data");
    },
  );

  transcript(
    "ends after a second content-length: a head, a body, an end (B-53)",
    { protocol, handler: echo },
    async ({ peer }) => {
      peer.sends(
        post([
          ["Content-Length", "9"],
          ["Content-Length", "99"],
        ]),
        bodyPacket("test=data"),
      );
      const kinds = [];
      for (let i = 0; i < 3; i++)
        kinds.push((await peer.readPacket()).subarray(0, 3).toString("hex"));
      expect(kinds.map((text) => text.slice(0, 2))).toEqual(["04", "03", "05"]);
      expect(kinds[0]).toBe(`04${(400).toString(16).padStart(4, "0")}`);
      expect(kinds[2]).toBe("0500");
      await peer.expectsClose();
    },
  );

  for (const method of [2, 4]) {
    transcript(
      `is kept after content-length 0 and method ${method}, and no byte is read (B-55)`,
      { protocol, handler: echo },
      async ({ peer }) => {
        const bytes = forwardRequest({ method, headers: { "Content-Length": "0" } });
        const answer = await exchange(peer, bytes);
        expect(answer).toMatchObject({ status: 200, reuse: true, asked: 0 });
        expect(echoed(answer).body).toBe("");
      },
    );
  }
});

describe("a body", () => {
  for (const bytes of [100, 10_000]) {
    transcript(
      `of ${bytes} bytes in one large packet is complete, and the connection is kept (B-54)`,
      { protocol, handler: echo, ajp: { packetSize: 16_000 } },
      async ({ peer }) => {
        const body = "b".repeat(bytes);
        const put = forwardRequest({ method: 5, headers: { "Content-Length": String(bytes) } });
        const answer = await exchange(peer, put, bodyPacket(body));
        expect(answer).toMatchObject({ status: 200, reuse: true, asked: 0 });
        expect(echoed(answer)).toMatchObject({ method: "PUT", body });
        // What answers a request for more after the last byte, if one had been made.
        peer.sends(packet(""));
        await pings(peer);
      },
    );
  }
});

describe("an answer", () => {
  transcript(
    "of 304 is a head and an end, whatever the handler writes (B-56)",
    {
      protocol,
      handler: (_req, res) => {
        res.writeHead(304);
        res.end("not a byte");
      },
    },
    async ({ peer }) => {
      await pings(peer);
      peer.sends(forwardRequest());
      expect((await peer.readPacket()).readUInt16BE(1)).toBe(304);
      expect((await peer.readPacket()).toString("hex")).toBe("0501");
      await pings(peer);
    },
  );

  transcript(
    "of 15,000 bytes is one chunk where packets hold 16,000 (B-57)",
    { protocol, handler: (_req, res) => res.end("x".repeat(15_000)), ajp: { packetSize: 16_000 } },
    async ({ peer }) => {
      peer.sends(forwardRequest());
      expect((await peer.readPacket())[0]).toBe(4);
      expect((await peer.readPacket()).readUInt16BE(1)).toBe(15_000);
      expect((await peer.readPacket()).toString("hex")).toBe("0501");
    },
  );

  transcript(
    "keeps its other headers where one cannot be sent, and the handler hears of that one (B-58, A-13)",
    {
      protocol,
      handler: (_req, res) => {
        res.setHeader("X-First", "1");
        let code = "none";
        try {
          res.setHeader("X-Middle", "\u039a");
        } catch (error) {
          code = (error as { code: string }).code;
        }
        res.setHeader("X-Last", "3");
        res.end(code);
      },
    },
    async ({ peer }) => {
      const answer = await exchange(peer, forwardRequest());
      expect(answer).toMatchObject({ status: 200, body: "ERR_INVALID_CHAR" });
      expect(["x-first", "x-middle", "x-last"].map((name) => headerOf(answer, name))).toEqual([
        "1",
        undefined,
        "3",
      ]);
    },
  );

  transcript(
    "without any header is a head of none, also where it is flushed (B-59, A-13)",
    {
      protocol,
      handler: (_req, res) => {
        res.flushHeaders();
        setTimeout(() => res.end(), 10);
      },
    },
    async ({ peer }) => {
      await pings(peer);
      peer.sends(forwardRequest());
      const head = await peer.readPacket();
      expect([head[0], head.readUInt16BE(head.length - 2)]).toEqual([4, 0]);
      const rest = [await peer.readPacket(), await peer.readPacket()];
      expect(rest.map((bytes) => bytes.toString("hex"))).toEqual(["03000000", "0501"]);
      await pings(peer);
    },
  );

  transcript(
    "to bytes above 127 in path, query and a header: they pass as they are (B-60)",
    { protocol, handler: echo },
    async ({ peer }) => {
      const bytes = "caf\xe9\xff\x80";
      const request = forwardRequest({
        uri: `/${bytes}`,
        query: bytes,
        headers: { "X-Raw": bytes },
      });
      const answer = await exchange(peer, request);
      const encoded = "caf%E9%FF%80";
      expect(echoed({ body: Buffer.from(answer.body, "latin1").toString("utf8") })).toMatchObject({
        url: `/${encoded}?${encoded}`,
        headers: { "x-raw": bytes },
      });
    },
  );
});

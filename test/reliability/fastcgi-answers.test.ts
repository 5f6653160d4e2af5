/**
 * What we write over FastCGI, byte by byte: record lengths, reserved bytes, answers to GET_VALUES (reliability F-4, F-6,
 * F-7), and the protocol's corners (F-11). Read by frames of the tests' own.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { echo, echoed, hello, Latch } from "../support/behaviour.ts";
import { type Peer, transcript } from "../support/transcript.ts";
import {
  begin,
  fastcgiRequest,
  pairs,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "../support/transcript-frames.ts";

const SIZES = [0, 1, 65_527, 65_528, 65_535, 65_536, 65_537, 200_000];

interface RawRecord {
  readonly header: Buffer;
  readonly content: Buffer;
  readonly padding: Buffer;
}

/** The records of one answer, as they came. */
async function rawAnswer(peer: Peer): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  for (;;) {
    const header = await peer.read(8);
    const content = await peer.read(header.readUInt16BE(4));
    records.push({ header, content, padding: await peer.read(header[6]!) });
    if (header[1] === Type.END) return records;
  }
}

const contentOf = (records: readonly RawRecord[], type: number): string =>
  Buffer.concat(
    records.filter(({ header }) => header[1] === type).map((one) => one.content),
  ).toString("latin1");

describe("a response body of any size", () => {
  const ways: Readonly<Record<string, NodeHandler>> = {
    "one text": (req, res) => res.end("x".repeat(Number(req.url!.slice(1)))),
    "one buffer": (req, res) => res.end(Buffer.alloc(Number(req.url!.slice(1)), "x")),
    "a write and an end": (req, res) => {
      res.write(Buffer.alloc(Number(req.url!.slice(1)), "x"));
      res.end();
    },
  };
  for (const [way, handler] of Object.entries(ways)) {
    transcript(
      `sent as ${way} is in records that sum up to it, each of 65,535 bytes at most (F-4)`,
      { handler },
      async ({ peer }) => {
        for (const size of SIZES) {
          peer.sends(fastcgiRequest({ keep: true, params: { REQUEST_URI: `/${size}` } }));
          const records = await rawAnswer(peer);
          const text = contentOf(records, Type.STDOUT);
          const body = text.slice(text.indexOf("\r\n\r\n") + 4);
          expect(body.length).toBe(size);
          expect(body).toBe("x".repeat(size));
          // An empty STDOUT record is its end (B-77), so there is one and nothing behind it.
          const stdout = records.filter(({ header }) => header[1] === Type.STDOUT);
          expect(stdout.filter(({ content }) => content.length === 0)).toHaveLength(1);
          expect(stdout.at(-1)!.content).toHaveLength(0);
        }
      },
    );
  }
});

transcript(
  "a body that looks like BEGIN_REQUEST and PARAMS is a body (F-4)",
  { handler: echo },
  async ({ peer }) => {
    const body = fastcgiRequest({ id: 1, params: { REQUEST_URI: "/smuggled" } });
    for (let i = 0; i < 3; i++) {
      peer.sends(fastcgiRequest({ keep: true, body }));
      const said = echoed(await peer.answer());
      expect([said.url, said.body]).toEqual(["/", body.toString("latin1")]);
    }
    await peer.expectsSilence(20);
  },
);

transcript(
  "reserved bytes and padding are 0, and the same exchange gives the same bytes (F-7)",
  {
    handler: (req, res) => {
      req.gateway.errors.write("e".repeat(9_001));
      res.setHeader("X-A", "1");
      for (const size of [1, 7, 4_097, 70_001]) res.write("x".repeat(size));
      res.end("end");
    },
  },
  async ({ connect }) => {
    const answers: string[] = [];
    for (let i = 0; i < 3; i++) {
      const peer = await connect();
      peer.sends(fastcgiRequest());
      const records = await rawAnswer(peer);
      for (const { header, content, padding } of records) {
        expect([header[0], header[7]]).toEqual([1, 0]);
        expect(padding.every((byte) => byte === 0)).toBe(true);
        if (header[1] === Type.END) expect(content.toString("hex")).toBe("0000000000000000");
      }
      const all = [Type.STDOUT, Type.STDERR].map((type) => contentOf(records, type));
      answers.push(JSON.stringify(all));
    }
    expect(new Set(answers).size).toBe(1);
  },
);

describe("GET_VALUES", () => {
  const query = (content: Uint8Array) => record({ type: Type.GET_VALUES, id: 0, content });
  const three = { FCGI_MAX_CONNS: "", FCGI_MAX_REQS: "", FCGI_MPXS_CONNS: "" };
  const lies: readonly (readonly [what: string, content: Buffer])[] = [
    ["nothing", Buffer.alloc(0)],
    ["a length alone", Buffer.of(14)],
    ["half a length", Buffer.of(0x80, 0, 0)],
    ["a name longer than the record", Buffer.of(200, 0, 65, 66)],
    ["lengths of 2^31 - 1", Buffer.from("ffffffffffffffff4142", "hex")],
    [
      "a value longer than the record",
      Buffer.concat([Buffer.of(14, 99), Buffer.from("FCGI_MAX_CONNS")]),
    ],
    [
      "4,000 names that nobody knows",
      pairs(Array.from({ length: 4_000 }, (_, i) => [`N${i}`, ""] as const)),
    ],
    [
      "one name a thousand times",
      pairs(Array.from({ length: 1_000 }, () => ["FCGI_MPXS_CONNS", "1"] as const)),
    ],
    ["names of no bytes", Buffer.alloc(65_534)],
  ];

  for (const [what, content] of lies) {
    transcript(
      `with ${what} gets at most what is known, and a request is served after it (F-6)`,
      { handler: hello, limits: { connections: 10_000, requests: 1_000 } },
      async ({ peer }) => {
        peer.sends(query(content));
        const result = await peer.readRecord();
        expect([result.type, result.id]).toEqual([Type.GET_VALUES_RESULT, 0]);
        expect(result.content.length).toBeLessThanOrEqual(64);
        peer.sends(query(pairs(three)));
        expect((await peer.readRecord()).content.toString("latin1")).toBe(
          pairs({ FCGI_MAX_CONNS: "10000", FCGI_MAX_REQS: "1000", FCGI_MPXS_CONNS: "0" }).toString(
            "latin1",
          ),
        );
        peer.sends(fastcgiRequest());
        expect(await peer.answer()).toMatchObject({ status: 200, body: "hi" });
      },
    );
  }

  transcript(
    "for FCGI_MPXS_CONNS is answered in one record, and nothing follows it (B-79)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(query(pairs({ FCGI_MPXS_CONNS: "" })));
      const { type, id, content } = await peer.readRecord();
      expect([type, id, content.toString("latin1")]).toEqual([10, 0, "\x0f\x01FCGI_MPXS_CONNS0"]);
      await peer.expectsSilence(20);
    },
  );
});

describe("the protocol's corners", () => {
  transcript(
    "empty PARAMS at once are a whole 400, and no handler is called (F-11)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), record({ type: Type.PARAMS }));
      expect(await peer.answer()).toMatchObject({ status: 400, protocolStatus: 0 });
      await peer.expectsClose();
    },
  );

  transcript(
    "STDIN before the end of PARAMS closes the connection (F-11)",
    { handler: hello },
    async ({ peer }) => {
      peer.sends(begin(1, { keep: true }), record({ type: Type.PARAMS, content: pairs(USUAL) }));
      peer.sends(stdin(1, "early"));
      await peer.expectsClose();
    },
  );

  transcript(
    "a body of 66,000 bytes with padding, id 300, is read whole (B-78)",
    { handler: echo },
    async ({ peer }) => {
      const body = "b".repeat(66_000);
      const first = record({
        type: Type.STDIN,
        id: 300,
        content: body.slice(0, 65_535),
        padding: 1,
      });
      const second = record({ type: Type.STDIN, id: 300, content: body.slice(65_535), padding: 7 });
      expect(first.subarray(0, 8).toString("hex")).toBe("0105012cffff0100");
      expect(second.subarray(0, 8).toString("hex")).toBe("0105012c01d10700");
      peer.sends(begin(300, { keep: true }), params(300, { ...USUAL, CONTENT_LENGTH: "66000" }));
      peer.sends(first, second, record({ type: Type.STDIN, id: 300 }));
      const answer = await peer.answer();
      expect([answer.id, echoed(answer).body]).toEqual([300, body]);
    },
  );

  for (const [what, code] of [
    ["an abort", "ERR_ABORTED"],
    ["the end of the connection", "ERR_CONNECTION_LOST"],
  ] as const) {
    let failed = new Latch<string>();
    transcript(
      `${what} fails a body that is being read, at once and by its name (B-81)`,
      () => {
        failed = new Latch();
        const handler: NodeHandler = async (req) => {
          try {
            for await (const _chunk of req);
            failed.open("ended");
          } catch {
            failed.open((req.gateway.signal.reason as { code: string }).code);
          }
        };
        return { handler };
      },
      async ({ peer }) => {
        const each = [
          ["REQUEST_METHOD", "GET"],
          ["SERVER_PROTOCOL", "HTTP/1.1"],
          ["REQUEST_URI", "/"],
        ] as const;
        peer.sends(begin(1, { keep: true }));
        for (const pair of each) peer.sends(record({ type: Type.PARAMS, content: pairs([pair]) }));
        peer.sends(record({ type: Type.PARAMS }));
        peer.sends(record({ type: Type.STDIN, content: "0123456789abcdef" }));
        await peer.expectsSilence(20);
        if (code === "ERR_ABORTED") peer.sends(record({ type: Type.ABORT }));
        else peer.socket.destroy();
        expect(await failed.opened).toBe(code);
      },
    );
  }
});

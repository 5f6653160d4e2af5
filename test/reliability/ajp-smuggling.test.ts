/**
 * AJP requests about whose body packet two sides could disagree (reliability A-4, B-61): what follows one is never taken
 * for a request. Every length and Transfer-Encoding, with a packet behind it and without.
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { hello, readAll } from "../support/behaviour.ts";
import { type Peer, transcript } from "../support/transcript.ts";
import { bodyPacket, CPING, forwardRequest, packet } from "../support/transcript-frames.ts";

const protocol = "ajp";
type Header = readonly [string, string];

/** What the headers say of a body, and the status that this alone deserves. */
const BODIES: readonly (readonly [what: string, status: number, headers: readonly Header[]])[] = [
  ["no length", 200, []],
  ["length 0", 200, [["Content-Length", "0"]]],
  ["length 5", 200, [["Content-Length", "5"]]],
  [
    "two lengths",
    400,
    [
      ["Content-Length", "5"],
      ["Content-Length", "5"],
    ],
  ],
  [
    "two lengths, coded and spelled",
    400,
    [
      ["\xa0\x08", "5"],
      ["Content-Length", "5"],
    ],
  ],
  ["chunked", 200, [["Transfer-Encoding", "chunked"]]],
  ["chunked, chunked", 400, [["Transfer-Encoding", "chunked, chunked"]]],
  ["a tab and chunked", 400, [["Transfer-Encoding", "\tchunked"]]],
  ["identity", 400, [["Transfer-Encoding", "identity"]]],
  ["Chunked with a capital", 400, [["Transfer-Encoding", "Chunked"]]],
  [
    "chunked and a length",
    400,
    [
      ["Transfer-Encoding", "chunked"],
      ["Content-Length", "5"],
    ],
  ],
  [
    "a length and chunked",
    400,
    [
      ["Content-Length", "5"],
      ["Transfer-Encoding", "chunked"],
    ],
  ],
];

/** A packet that begins as a Forward Request does; with 0x02xx as its inner length. */
const smuggled = forwardRequest({ uri: "/smuggled" });

/** First bytes of packets, and the statuses of Send Headers. */
interface Said {
  readonly kinds: number[];
  readonly statuses: number[];
}

function note(said: Said, payload: Buffer): void {
  said.kinds.push(payload[0]!);
  if (payload[0] === 4) said.statuses.push(payload.readUInt16BE(1));
}

/** Everything that is said until the connection ends; nothing more is sent. */
async function lastWords(peer: Peer): Promise<Said> {
  peer.end();
  const said: Said = { kinds: [], statuses: [] };
  const bytes = await peer.readToEnd();
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt16BE(at + 2)) {
    expect(bytes.toString("latin1", at, at + 2)).toBe("AB");
    note(said, bytes.subarray(at + 4, at + 4 + bytes.readUInt16BE(at + 2)));
  }
  return said;
}

/** One exchange in which every request for a body packet gets the end marker. */
async function exchange(peer: Peer): Promise<Said> {
  const said: Said = { kinds: [], statuses: [] };
  while (said.kinds.at(-1) !== 5) {
    note(said, await peer.readPacket());
    if (said.kinds.at(-1) === 6) peer.sends(packet(""));
  }
  return said;
}

for (const reads of [true, false]) {
  let urls: string[] = [];
  const handler: NodeHandler = async (req, res) => {
    urls.push(req.url!);
    if (reads) await readAll(req).catch(() => undefined);
    res.end("served");
  };
  describe(`a handler that ${reads ? "reads" : "does not read"}, and a request with`, () => {
    for (const [what, status, headers] of BODIES) {
      for (const method of [2, 4]) {
        transcript(
          `${what}, ${method === 2 ? "GET" : "POST"}: the packet behind it is no request (A-4)`,
          { protocol, handler },
          async ({ peer, connect }) => {
            urls = [];
            const head = forwardRequest({ method, headers: [["Host", "a.test"], ...headers] });
            peer.sends(head, smuggled);
            const seen = await lastWords(peer);
            expect(urls).not.toContain("/smuggled");
            expect(seen.statuses.length).toBeLessThanOrEqual(1);
            expect(seen.kinds.filter((kind) => kind === 5).length).toBeLessThanOrEqual(1);
            if (status === 400) {
              expect(seen.statuses).toEqual([400]);
              expect(urls).toEqual([]);
            }
            const other = await connect();
            other.sends(forwardRequest({ uri: "/next" }));
            expect(await other.answer()).toMatchObject({ status: 200, body: "served" });
          },
        );
      }
      transcript(
        `${what} and nothing behind it: ${status}, or asked for (A-4)`,
        { protocol, handler },
        async ({ peer }) => {
          urls = [];
          peer.sends(forwardRequest({ method: 4, headers: [["Host", "a.test"], ...headers] }));
          if (what === "length 5") peer.sends(bodyPacket("hello"));
          expect((await exchange(peer)).statuses).toEqual([status]);
        },
      );
    }
  });
}

describe("a body packet as the first thing", () => {
  for (const [what, bytes] of [
    ["with bytes", packet("\0\x02hi")],
    ["as long as a Forward Request's code", packet("\x02\x02")],
    ["of 0x0202 bytes", bodyPacket("x".repeat(0x0202))],
  ] as const) {
    transcript(
      `${what} ends the connection, and no handler is called (B-61)`,
      { protocol, handler: hello },
      async ({ peer }) => {
        peer.sends(bytes);
        const { statuses } = await lastWords(peer);
        expect(statuses.filter((status) => status !== 400)).toEqual([]);
      },
    );
  }

  transcript("that is empty is ignored (B-61)", { protocol, handler: hello }, async ({ peer }) => {
    peer.sends(packet(""), CPING);
    expect(await peer.reads(5)).toBe("4142000109");
    peer.sends(forwardRequest());
    expect(await peer.answer()).toMatchObject({ status: 200 });
  });
});

/**
 * One table of limits, over every protocol: the value itself passes, one more is refused with its status, whole, and the
 * connection ends (reliability A-12, D-6, N-7).
 */
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import type { Limits } from "../../src/wire/limits.ts";
import { hello, readAll } from "../support/behaviour.ts";
import { type FramedProtocol, transcript } from "../support/transcript.ts";
import {
  begin,
  bodyPacket,
  forwardRequest,
  netstring,
  pairs,
  params,
  stdin,
  USUAL,
} from "../support/transcript-frames.ts";

const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;
type Header = readonly [string, string];

/** A whole request with these headers and a body of so many bytes. */
function requestOf(protocol: FramedProtocol, headers: readonly Header[], bodyBytes = 0): Buffer {
  const body = "b".repeat(bodyBytes);
  const length = String(bodyBytes);
  const cgi = headers.map(([name, value]) => [`HTTP_${name.replaceAll("-", "_")}`, value] as const);
  if (protocol === "ajp") {
    const sized = bodyBytes > 0 ? ([["Content-Length", length]] as const) : [];
    const head = forwardRequest({
      method: bodyBytes > 0 ? 4 : 2,
      headers: [["Host", "a.test"], ...headers, ...sized],
    });
    return bodyBytes > 0 ? Buffer.concat([head, bodyPacket(body)]) : head;
  }
  const variables = [["CONTENT_LENGTH", length], ["SCGI", "1"], ...Object.entries(USUAL), ...cgi];
  const list = variables as readonly Header[];
  if (protocol === "scgi") return Buffer.concat([netstring(list), Buffer.from(body)]);
  return Buffer.concat([begin(1, { keep: true }), params(1, list), stdin(1, body)]);
}

/** Fields of a request with one header: what the limit of their number counts. */
const FIELDS: Readonly<Record<FramedProtocol, number>> = { fastcgi: 6, scgi: 6, ajp: 1 };
/** What a name grows by on the wire. */
const PREFIX: Readonly<Record<FramedProtocol, number>> = { fastcgi: 5, scgi: 5, ajp: 0 };

interface Row {
  readonly limit: keyof Limits;
  readonly status: number;
  limits(protocol: FramedProtocol): Partial<Limits>;
  /** A request that is at its limit, or one above. */
  request(protocol: FramedProtocol, more: 0 | 1): Buffer;
}

const many = (count: number): Header[] =>
  Array.from({ length: count }, (_, i) => [`X-N-${i}`, "1"] as const);

const ROWS: readonly Row[] = [
  {
    limit: "fieldCount",
    status: 431,
    limits: (protocol) => ({ fieldCount: FIELDS[protocol] + 10 }),
    request: (protocol, more) => requestOf(protocol, many(10 + more)),
  },
  {
    limit: "nameBytes",
    status: 431,
    limits: (protocol) => ({ nameBytes: 30 + PREFIX[protocol] }),
    request: (protocol, more) => requestOf(protocol, [["N".repeat(30 + more), "1"]]),
  },
  {
    limit: "valueBytes",
    status: 431,
    limits: () => ({ valueBytes: 500 }),
    request: (protocol, more) => requestOf(protocol, [["X-V", "v".repeat(500 + more)]]),
  },
  {
    limit: "bodyBytes",
    status: 413,
    limits: () => ({ bodyBytes: 1_000 }),
    request: (protocol, more) => requestOf(protocol, [], 1_000 + more),
  },
];

describe.each(PROTOCOLS)("over %s", (protocol) => {
  const handler: NodeHandler = async (req, res) => res.end(String((await readAll(req)).length));
  for (const { limit, status, limits, request } of ROWS) {
    transcript(
      `limits.${limit}: the limit itself is served, one more is a whole ${status} (A-12, D-6)`,
      { protocol, handler, limits: limits(protocol) },
      async ({ peer, connect }) => {
        peer.sends(request(protocol, 0));
        expect(await peer.answer()).toMatchObject({ status: 200 });
        const other = await connect();
        other.sends(request(protocol, 1));
        const answer = await other.answer();
        expect(answer).toMatchObject({ status });
        expect([0, undefined]).toContain(answer.protocolStatus);
        expect([false, undefined]).toContain(answer.reuse);
        await other.expectsClose();
      },
    );
  }

  transcript(
    "an error ends the connection, whatever follows in the same write (D-6)",
    { protocol, handler: hello },
    async ({ peer, connect }) => {
      const bad = requestOf(protocol, [["X-A", "1\n2"]]);
      peer.sends(bad, requestOf(protocol, []));
      expect(await peer.answer()).toMatchObject({ status: 400 });
      await peer.expectsClose();
      const other = await connect();
      other.sends(requestOf(protocol, []));
      expect(await other.answer()).toMatchObject({ status: 200 });
    },
  );
});

describe("limits.headBytes", () => {
  const head: readonly Header[] = [["CONTENT_LENGTH", "0"], ...Object.entries(USUAL)];
  const bytesOf: Readonly<Record<"fastcgi" | "scgi", (list: readonly Header[]) => number>> = {
    fastcgi: (list) => pairs(list).length,
    scgi: (list) => list.reduce((sum, [name, value]) => sum + name.length + value.length + 2, 0),
  };
  for (const protocol of ["fastcgi", "scgi"] as const) {
    transcript(
      `over ${protocol}: the limit itself is served, one more is a whole 431 (A-12)`,
      { protocol, handler: hello, limits: { headBytes: bytesOf[protocol](head) } },
      async ({ peer, connect }) => {
        const bytes = (list: readonly Header[]): Buffer =>
          protocol === "scgi"
            ? netstring(list)
            : Buffer.concat([begin(1), params(1, list), stdin(1)]);
        peer.sends(bytes(head));
        expect(await peer.answer()).toMatchObject({ status: 200 });
        const other = await connect();
        const [first, ...rest] = head;
        other.sends(bytes([first!, ...rest.slice(0, -1), ["HTTP_HOST", "example.test2"]]));
        expect(await other.answer()).toMatchObject({ status: 431 });
        await other.expectsClose();
      },
    );
  }

  transcript(
    "over AJP is ajp.packetSize: one byte more is a whole 400 (A-12)",
    { protocol: "ajp", handler: hello },
    async ({ peer, connect }) => {
      const sized = (size: number): Buffer => {
        const empty = forwardRequest({ headers: { "X-Long": "" } }).length;
        return forwardRequest({ headers: { "X-Long": "x".repeat(size - empty) } });
      };
      peer.sends(sized(8_192));
      expect(await peer.answer()).toMatchObject({ status: 200 });
      const other = await connect();
      other.sends(sized(8_193));
      expect(await other.answer()).toMatchObject({ status: 400, reuse: false });
      await other.expectsClose();
    },
  );
});

/**
 * Any answer, written in any pieces: a decoder that knows the specifications and nothing of src/ understands what was meant,
 * and the same answer is the same bytes each time (reliability Z5, F-4, F-7). What is planned for each exchange is a list of
 * calls of its encoder; whether bytes leave in this order is the connection fuzzer's. `npm run fuzz -- writers --time T`.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { BodyPiece, ResponseHead } from "../../src/http/head.ts";
import type { Encoder, Output, ResponseEnd } from "../../src/protocols/protocol.ts";
import { DECODED_PROTOCOLS, type DecodedProtocol } from "../support/engines.ts";
import { fuzzed, PROPERTY_SEED } from "../support/properties.ts";
import {
  codeOfHeader,
  readAjp,
  readFastcgi,
  readScgi,
  type WrittenAnswer,
} from "../support/written-answers.ts";

/** Lengths at the borders of packets, records, and of what goes out in one piece; most are short. */
const LENGTHS = [
  1, 511, 512, 513, 2_047, 2_048, 8_183, 8_184, 8_185, 16_376, 65_519, 65_528, 65_529,
];
const length = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 2, arbitrary: fc.constantFrom(...LENGTHS) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 140_000 }) },
);
const name = fc.oneof(
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/),
  fc.constantFrom("Content-Type", "Set-Cookie", "location", "Date", "WWW-Authenticate", "X-A"),
);
const line = fc.string({
  unit: fc
    .integer({ min: 0x20, max: 0xff })
    .filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 30,
});
const value = fc.oneof(
  { weight: 20, arbitrary: line },
  { weight: 1, arbitrary: length.map((count) => "v".repeat(count)) },
);
const head = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  reason: line.filter((text) => text !== ""),
  fields: fc
    .array(
      fc.tuple(
        name.filter((one) => one.toLowerCase() !== "status"),
        value,
      ),
      { maxLength: 8 },
    )
    .map((pairs) => pairs.flat()),
  contentLength: fc.constant(-1),
});
const op = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("text", "bytes"), count: length }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("errors"), count: length }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("flush", "want"),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
);
const exchange = fc.record({
  id: fc.constantFrom(1, 1, 2, 255, 256, 2_047, 2_048, 65_535),
  head: fc.option(head, { freq: 12, nil: undefined }),
  ops: fc.array(op, { maxLength: 6 }),
  appStatus: fc.constantFrom(0, 0, 1, 255, 256, 0x7fff_ffff, 0xffff_ffff),
  protocolStatus: fc.constantFrom(0, 0, 1, 2, 3),
  reuse: fc.boolean(),
  /** Does the end leave with the last piece? */
  together: fc.boolean(),
});
type Exchange = typeof exchange extends fc.Arbitrary<infer T> ? T : never;

const options = (ajpPacketBytes: number) => ({
  ajpPacketBytes,
  maxConnections: 1,
  maxRequests: 1,
  multiplex: true,
});

/** A piece of body: every byte there is, other ones for each length. */
function pieceOf(kind: string, count: number): BodyPiece {
  const bytes = Buffer.allocUnsafe(count);
  for (let i = 0; i < count; i++) bytes[i] = (i * 31 + count) & 255;
  return kind === "text" ? bytes.toString("latin1") : bytes;
}

type Call = (encoder: Encoder, out: Output) => void;

/** The calls that write an exchange, and what has to be understood by them. */
function callsOf(
  plan: Exchange,
  protocol: DecodedProtocol,
): { calls: Call[]; meant: WrittenAnswer } {
  const { id, ops } = plan;
  const calls: Call[] = [];
  // Body without a head is nothing that a response is asked for.
  const used = ops.filter(({ kind }) => plan.head !== undefined || !/text|bytes/.test(kind));
  const said = (kind: string): string =>
    used
      .filter((one) => one.kind === kind || (kind === "body" && /text|bytes/.test(one.kind)))
      .map((one) => pieceOf("text", one.count))
      .join("");
  const times = (kind: string): number =>
    used.reduce((sum, one) => sum + (one.kind === kind ? (kind === "want" ? one.count : 1) : 0), 0);
  const errors = protocol === "fastcgi" ? said("errors") : "";
  const end: ResponseEnd = {
    appStatus: plan.appStatus,
    protocolStatus: plan.protocolStatus,
    reuse: plan.reuse,
    stdout: plan.head !== undefined,
    stderr: errors !== "",
  };
  let first: ResponseHead | undefined = plan.head;
  for (const [i, { kind, count }] of used.entries()) {
    if (kind === "flush" || kind === "want") {
      if (first !== undefined) calls.push(headAlone(id, first));
      first = undefined;
      calls.push((encoder, out) =>
        kind === "flush" ? encoder.flush(out, id) : encoder.want(out, id, count),
      );
    } else if (kind === "errors") {
      calls.push((encoder, out) => encoder.stderr(out, id, pieceOf("bytes", count) as Buffer));
    } else {
      const withHead = first;
      first = undefined;
      const withEnd = plan.together && i === used.length - 1 ? end : undefined;
      calls.push((encoder, out) =>
        encoder.response(out, id, withHead, pieceOf(kind, count), withEnd),
      );
      if (withEnd !== undefined) return { calls, meant: meantBy() };
    }
  }
  const last = first;
  calls.push((encoder, out) => encoder.response(out, id, last, undefined, end));
  return { calls, meant: meantBy() };

  function meantBy(): WrittenAnswer {
    const ajp = protocol === "ajp";
    return {
      status: plan.head?.status ?? 0,
      reason: plan.head?.reason ?? "",
      fields: fieldsOf(plan.head?.fields ?? [], ajp),
      body: said("body"),
      errors,
      asked: ajp ? times("want") : 0,
      flushes: ajp ? times("flush") : 0,
      end: endOf(plan, protocol),
    };
  }
}

const headAlone =
  (id: number, one: ResponseHead): Call =>
  (encoder, out) =>
    encoder.response(out, id, one, undefined, undefined);

function endOf(plan: Exchange, protocol: DecodedProtocol): string {
  if (protocol === "fastcgi") return `${plan.appStatus} ${plan.protocolStatus}`;
  if (protocol === "scgi") return "";
  return plan.reuse ? "reuse" : "close";
}

/** Fields in pairs; over AJP the coded ones come first. */
function fieldsOf(flat: readonly string[], codedFirst: boolean): [string, string][] {
  const all = flat.flatMap((text, i): [string, string][] =>
    i % 2 === 0 ? [[text.toLowerCase(), flat[i + 1]!]] : [],
  );
  if (!codedFirst) return all;
  const isCoded = ([one]: [string, string]): boolean => codeOfHeader(one) > 0;
  return [...all.filter(isCoded), ...all.filter((field) => !isCoded(field))];
}

/** Bytes of a Send Headers payload, counted apart from the encoder. */
function payloadBytes({ reason, fields }: ResponseHead): number {
  return fieldsOf(fields, true).reduce(
    (sum, [one, text]) => sum + (codeOfHeader(one) > 0 ? 2 : one.length + 3) + text.length + 3,
    1 + 2 + reason.length + 3 + 2,
  );
}

function written(encoder: Encoder, calls: readonly Call[]): Buffer {
  const pieces: Buffer[] = [];
  const out: Output = {
    text: (latin1) => void pieces.push(Buffer.from(latin1, "latin1")),
    bytes: (chunk) => void pieces.push(Buffer.from(chunk)),
  };
  for (const call of calls) call(encoder, out);
  return Buffer.concat(pieces);
}

/** Calls of several exchanges, shuffled together; each keeps its own order. */
function shuffled(queues: Call[][], random: Iterator<number>): Call[] {
  const mixed: Call[] = [];
  for (let left = queues.filter((queue) => queue.length > 0); left.length > 0; ) {
    mixed.push(left[random.next().value! % left.length]!.shift()!);
    left = left.filter((queue) => queue.length > 0);
  }
  return mixed;
}

for (const protocol of ["fastcgi", "scgi", "ajp"] as const) {
  const rule = `Z5: what ${protocol} writes is understood as it was meant, and is the same bytes again`;
  test(`${rule} (POSTERN_SEED=${PROPERTY_SEED})`, { timeout: fuzzed.timeoutMs }, () => {
    const packet = fc.constantFrom(8_192, 8_192, 16_384, 65_536);
    const { createEncoder } = DECODED_PROTOCOLS[protocol];
    const kept = new Map(
      [8_192, 16_384, 65_536].map((size) => [size, createEncoder(options(size))]),
    );
    const many = fc.uniqueArray(exchange, {
      selector: ({ id }) => id,
      minLength: 1,
      maxLength: protocol === "fastcgi" ? 4 : 1,
    });
    let count = 0;
    const property = fc.property(
      many,
      packet,
      fc.infiniteStream(fc.nat()),
      (plans, size, random) => {
        count++;
        const all = plans.map((plan) => callsOf(plan, protocol));
        const encoder = kept.get(size)!;
        const tooLarge = plans.find((one) => one.head && payloadBytes(one.head) > size - 4);
        if (protocol === "ajp" && tooLarge !== undefined) {
          const refused = headAlone(1, tooLarge.head!);
          const out = { text: () => expect.fail("written"), bytes: () => expect.fail("written") };
          expect(() => refused(encoder, out)).toThrow(RangeError);
          return;
        }
        const calls = shuffled(
          all.map((one) => one.calls),
          random,
        );
        const bytes = written(encoder, calls);
        const answers =
          protocol === "fastcgi"
            ? readFastcgi(bytes)
            : new Map([
                [plans[0]!.id, protocol === "ajp" ? readAjp(bytes, size) : readScgi(bytes)],
              ]);
        for (const [i, { id }] of plans.entries()) expect(answers.get(id)).toEqual(all[i]!.meant);
        expect(answers.size).toBe(plans.length);
        expect(written(encoder, calls).equals(bytes)).toBe(true);
        expect(written(createEncoder(options(size)), calls).equals(bytes)).toBe(true);
      },
    );
    fc.assert(property, fuzzed.runs(400, 3));
    fuzzed.say(`writers: ${protocol}`, count);
    expect(count).toBeGreaterThan(10);
  });
}

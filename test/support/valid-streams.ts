/**
 * Requests that are right in every way → the bytes of each protocol, cut into records, packets and padding as one likes.
 * For properties: fast-check makes the requests and the segmentation, frames are those of transcript-frames.ts.
 */
import fc from "fast-check";
import { Note } from "../../src/wire/abi.ts";
import type { DecoderOptions } from "../../src/wire/limits.ts";
import type { DecodedProtocol } from "./engines.ts";
import { bodyPacket, forwardRequest, netstring, pairs, record, Type } from "./transcript-frames.ts";
import type { Step } from "./vectors.ts";

/** A request as a front server means it. */
export interface PlannedRequest {
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** How a stream is cut into records: sizes and paddings, used in turn. */
export interface Segmentation {
  readonly sizes: readonly number[];
  readonly paddings: readonly number[];
}

/** A valid stream, and options it is valid under. */
export interface ValidStream {
  readonly protocol: DecodedProtocol;
  readonly options: Partial<DecoderOptions>;
  readonly steps: readonly Step[];
}

const token = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,11}$/);
const known = fc.constantFrom("REQUEST_METHOD", "REQUEST_URI", "HTTP_HOST", "HTTP_COOKIE", "PATH");
/** Names that are no length of a body: those are the plan's own. */
const name = fc
  .oneof(token, known)
  .filter((one) => one !== "CONTENT_LENGTH" && one !== "HTTP_UPGRADE");
const latin1 = fc.string({
  unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)),
  maxLength: 40,
});
const long = fc.constantFrom(126, 127, 128, 129, 255, 256).map((length) => "v".repeat(length));
const value = fc.oneof({ weight: 9, arbitrary: latin1 }, { weight: 1, arbitrary: long });

/** Any valid request. */
export const plannedRequest: fc.Arbitrary<PlannedRequest> = fc.record({
  fields: fc.array(fc.tuple(name, value), { maxLength: 8 }),
  body: fc.string({ unit: fc.constantFrom("a", "b", "c", "\u00ff", "\0"), maxLength: 60 }),
});

/** Any segmentation. */
export const segmentation: fc.Arbitrary<Segmentation> = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }),
  paddings: fc.array(fc.constantFrom(0, 0, 1, 7, 8, 255), { minLength: 1, maxLength: 4 }),
});

/** Content as records of the given sizes, with the empty one that ends it. */
function stream(type: number, id: number, content: Buffer, cut: Segmentation): Buffer[] {
  const records: Buffer[] = [];
  for (let at = 0, n = 0; at < content.length; n++) {
    const size = cut.sizes[n % cut.sizes.length]!;
    const padding = cut.paddings[n % cut.paddings.length]!;
    records.push(record({ type, id, padding, content: content.subarray(at, at + size) }));
    at += size;
  }
  return [...records, record({ type, id, padding: cut.paddings[0]! })];
}

const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** The fields of a request with the length of its body. */
function fieldsOf({ fields, body }: PlannedRequest): (readonly [string, string])[] {
  return body === "" ? [...fields] : [...fields, ["CONTENT_LENGTH", String(body.length)]];
}

/** The records of one FastCGI request. */
export function fastcgiRecords(request: PlannedRequest, id: number, cut: Segmentation): Buffer[] {
  const content = Buffer.alloc(8);
  content.writeUInt16BE(1);
  content[2] = 1;
  return [
    record({ type: Type.BEGIN, id, content, padding: cut.paddings.at(-1)! }),
    ...stream(Type.PARAMS, id, pairs(fieldsOf(request)), cut),
    ...stream(Type.STDIN, id, bytes(request.body), cut),
  ];
}

/** One SCGI request. */
export function scgiBytes({ fields, body }: PlannedRequest): Buffer {
  return Buffer.concat([
    netstring([["CONTENT_LENGTH", String(body.length)], ["SCGI", "1"], ...fields]),
    bytes(body),
  ]);
}

/** The packets of one AJP request whose body fits into one. */
export function ajpBytes({ fields, body }: PlannedRequest): Buffer {
  const headers = [...fields, ["Content-Length", String(body.length)] as const];
  const packet = body === "" ? [] : [bodyPacket(bytes(body))];
  return Buffer.concat([forwardRequest({ method: 4, headers }), ...packet]);
}

const ended = (exchangeId: number): Step => ({ event: Note.ENDED, exchangeId });

/** Any valid stream: one or more requests of a protocol, one after the other. */
export const validStream: fc.Arbitrary<ValidStream> = fc.oneof(
  fc.tuple(fc.array(plannedRequest, { minLength: 1, maxLength: 3 }), segmentation).map(
    ([requests, cut]): ValidStream => ({
      protocol: "fastcgi",
      options: {},
      steps: requests.flatMap((request) => [
        { bytes: Buffer.concat(fastcgiRecords(request, 1, cut)) },
        ended(1),
      ]),
    }),
  ),
  plannedRequest.map(
    (request): ValidStream => ({
      protocol: "scgi",
      options: {},
      steps: [{ bytes: scgiBytes(request) }],
    }),
  ),
  fc.array(plannedRequest, { minLength: 1, maxLength: 3 }).map(
    (requests): ValidStream => ({
      protocol: "ajp",
      options: {},
      steps: requests.flatMap((request) => [{ bytes: ajpBytes(request) }, ended(1)]),
    }),
  ),
);

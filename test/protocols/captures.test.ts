/**
 * What real front servers sent (nginx, Apache, lighttpd, HAProxy) decodes to the fields that were read out of it by hand.
 * One request with hostile target and headers, sent through each of them; see test/vectors/captures.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import { type DecodedProtocol, decoderOptions, describeEngines } from "../support/engines.ts";
import { DecodedConnection, type ReadableRow } from "../support/rows.ts";

interface Capture {
  readonly protocol: DecodedProtocol;
  readonly rawBody: boolean;
  readonly keep: boolean;
  readonly meta?: NonNullable<ReadableRow["meta"]>;
  readonly fields: [string, string][];
  readonly body: string;
}

const folder = new URL("../vectors/captures/", import.meta.url);
const captures = JSON.parse(readFileSync(new URL("expected.json", folder), "utf8")) as Record<
  string,
  Capture
>;

/** HEAD, body and its end; Apache waits for Get Body Chunk where an AJP body has no length. */
function expectedRows(name: string, capture: Capture): ReadableRow[] {
  const awaited = name === "apache-ajp-chunked.bin";
  const head: ReadableRow = {
    kind: "HEAD",
    id: 1,
    body: awaited ? "UNKNOWN" : "KNOWN",
    fields: capture.fields,
  };
  if (capture.meta !== undefined) head.meta = capture.meta;
  const rows: ReadableRow[] = [
    { kind: "BEGIN", id: 1, role: "RESPONDER", keep: capture.keep },
    head,
  ];
  if (awaited) return rows;
  return [...rows, { kind: "BODY", id: 1, text: capture.body }, { kind: "BODY_END", id: 1 }];
}

describeEngines("captures", (create) => {
  const engine = create(DEFAULT_LIMITS);
  for (const [name, capture] of Object.entries(captures)) {
    const bytes = readFileSync(new URL(name, folder));
    const options = decoderOptions({ ajpRawBody: capture.rawBody });
    test(`${name} in one read, in two at every byte, and byte by byte`, () => {
      const wanted = expectedRows(name, capture);
      const whole = new DecodedConnection(engine, capture.protocol, options).receive(bytes);
      expect(whole.rows).toEqual(wanted);
      const text = JSON.stringify(whole.rows);
      const slow = new DecodedConnection(engine, capture.protocol, options);
      for (let at = 0; at < bytes.length; at++) {
        slow.receive(bytes.subarray(at, at + 1));
        const cut = new DecodedConnection(engine, capture.protocol, options)
          .receive(bytes.subarray(0, at))
          .receive(bytes.subarray(at));
        expect(JSON.stringify(cut.rows), `cut at ${at}`).toBe(text);
      }
      expect(slow.rows).toEqual(wanted);
    });
  }
});

/**
 * The vectors of test/vectors as scripts: bytes to receive and notes to give, and the rows that must come.
 * It reads JSON and expands its hex; it decodes nothing.
 */
import { readFileSync } from "node:fs";
import { Note } from "../../src/wire/abi.ts";
import type { DecoderOptions } from "../../src/wire/limits.ts";
import type { DecodedProtocol } from "./engines.ts";
import type { ReadableRow } from "./rows.ts";

/** Something that happens on a connection: bytes come, or we say what we did. */
export type Step =
  | { readonly bytes: Uint8Array }
  | { readonly event: number; readonly exchangeId: number };

/** One vector. */
export interface Vector {
  readonly id: string;
  readonly title: string;
  readonly protocol: DecodedProtocol;
  readonly options: Partial<DecoderOptions>;
  readonly steps: readonly Step[];
  readonly rows: readonly ReadableRow[];
  /** Does it hold an error? Then its prefixes are not free of errors either. */
  readonly good: boolean;
}

interface JsonStep {
  readonly dir: ">" | "<";
  readonly hex: string;
  readonly notes?: readonly { readonly event: keyof typeof Note; readonly id: number }[];
}

interface JsonVector {
  readonly id: string;
  readonly title: string;
  readonly options?: Partial<DecoderOptions>;
  readonly steps: readonly JsonStep[];
  readonly rows: readonly (ReadableRow & { readonly hex?: string })[];
}

/** `01 02 61*3` → 01 02 61 61 61. */
export function bytesOf(hex: string): Uint8Array {
  const parts = hex.split(/\s+/).filter((word) => word !== "");
  return Buffer.concat(
    parts.map((word) => {
      const [byte, count] = word.split("*");
      return Buffer.alloc(Number(count ?? 1), Number.parseInt(byte!, 16));
    }),
  );
}

function readVector(protocol: DecodedProtocol, json: JsonVector): Vector {
  const steps = json.steps.flatMap((step): Step[] => {
    if (step.dir === ">") return [{ bytes: bytesOf(step.hex) }];
    return (step.notes ?? []).map(({ event, id }) => ({ event: Note[event], exchangeId: id }));
  });
  const rows = json.rows.map(({ hex, ...row }) =>
    hex === undefined ? row : { ...row, text: Buffer.from(bytesOf(hex)).toString("latin1") },
  );
  return {
    id: json.id,
    title: json.title,
    protocol,
    options: json.options ?? {},
    steps,
    rows,
    good: !rows.some((row) => row.kind === "ERROR"),
  };
}

/** All vectors of one protocol that have something to decode. */
export function vectorsOf(protocol: DecodedProtocol): Vector[] {
  const path = new URL(`../vectors/${protocol}.json`, import.meta.url);
  const json = JSON.parse(readFileSync(path, "utf8")) as JsonVector[];
  return json
    .map((one) => readVector(protocol, one))
    .filter((one) => one.steps.some((step) => "bytes" in step));
}

/** Bytes of all steps together. */
export function bytesCount(vector: Vector): number {
  return vector.steps.reduce((sum, step) => sum + ("bytes" in step ? step.bytes.length : 0), 0);
}

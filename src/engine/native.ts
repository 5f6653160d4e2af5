/**
 * The C++ addon → an engine, if there is an addon that can be used here.
 *
 * Loads it, compares every number of the seam with its own and says why it is not used when it is not. It decides
 * nothing: select.ts does. The only file that loads native code (docs/ARCHITECTURE.md, Package).
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { ERRORS } from "../errors.ts";
import { FIELD_NAMES } from "../http/field-names.ts";
import * as abi from "../wire/abi.ts";
import * as limits from "../wire/limits.ts";
import { Landing } from "../wire/landing.ts";
import { createRing, type Ring } from "../wire/ring.ts";
import { createTables, type Tables } from "../wire/tables.ts";
import { writeOptions } from "./decoder-options.ts";
import { DecoderPool } from "./decoder-pool.ts";
import type { Engine, EngineFactory } from "./engine.ts";
import type { CreateLines } from "./lines.ts";
import type { TransportFactory, TransportFunctions } from "./transport.ts";

/** What the addon says of itself: every number of the seam by name, and the known field names by id. */
export interface AbiReport {
  readonly numbers: Readonly<Record<string, number>>;
  readonly fieldNames: readonly string[];
}

/** Ring and tables as the addon holds them; nothing but the addon can look inside. */
export interface MemoryHandle {
  readonly kind: "memory";
}

/** A decoder of the addon. */
export interface DecoderHandle {
  readonly kind: "decoder";
}

/** The addon's surface: functions that take a handle, because a call of a method costs three times as much. */
export interface Addon {
  abi(): AbiReport;
  /**
   * Takes ring and tables and keeps them alive.
   *
   * @throws TypeError for anything but plain, attached arrays of the right type and size
   */
  createMemory(
    ring: Uint8Array,
    events: Int32Array,
    fields: Int32Array,
    state: Int32Array,
    readEnd: number,
    headEnd: number,
  ): MemoryHandle;
  /** Makes a decoder; `options` are the numbers of {@link abi.DecoderOption}, copied. Throws TypeError. */
  createDecoder(memory: MemoryHandle, protocolNumber: number, options: Float64Array): DecoderHandle;
  /** Makes a decoder as it was at first, for another connection. */
  renewDecoder(decoder: DecoderHandle): void;
  /** As {@link Decoder.decode}. Throws RangeError outside of the read area, TypeError when memory was detached. */
  decode(decoder: DecoderHandle, start: number, end: number): number;
  /** As {@link Decoder.note}. Throws TypeError for anything but whole numbers. */
  note(decoder: DecoderHandle, event: number, exchangeId: number): void;
  /** As {@link Decoder.resting}. */
  isResting(decoder: DecoderHandle): boolean;
  /** As {@link CreateLines}; throws TypeError for anything but plain, attached arrays of the right type. */
  readonly createLines: CreateLines;
  /** Linux only. A second descriptor of what a descriptor stands for, to be closed by the caller; or −errno. */
  duplicate?(fd: number): number;
  /** Linux only. Throws TypeError; Error when the system gives no epoll set. */
  openTransport?(
    memory: MemoryHandle,
    options: Float64Array,
    protocols: Uint8Array,
    turn: () => void,
  ): TransportFunctions;
  /** Linux only. As {@link ListenerWatcher}; throws TypeError for anything but a descriptor and a function. */
  watchListener?: ListenerWatcher;
  /** Linux only. One datagram to a unix socket, "@" first for an abstract one; returns 0 or an errno. */
  sendDatagram?(path: string, text: string): number;
}

/**
 * Calls `ready` once, when somebody waits to be accepted on a listening socket; accepts nobody. Keeps the loop running
 * until then. Throws an Error when the descriptor cannot be watched.
 *
 * @returns what ends it; does nothing once `ready` was called
 */
export type ListenerWatcher = (fd: number, ready: () => void) => () => void;

/** An addon that can be used, and where it was; or why there is none, as one clause. */
export type LoadedAddon =
  | { readonly addon: Addon; readonly path: string }
  | { readonly addon?: never; readonly reason: string };

const require = createRequire(import.meta.url);

/** The folder that holds package.json: from src/engine/ as well as from dist/. */
function packageRoot(): string {
  let folder = import.meta.dirname;
  for (let depth = 0; depth < 3 && !existsSync(join(folder, "package.json")); depth++) {
    folder = dirname(folder);
  }
  return folder;
}

/**
 * Where an addon may lie, the best first: one built here, then the one that came with the package.
 *
 * @param platform platform, architecture and C library, such as `linux-x64` or `linux-arm64-musl`
 */
export function addonPaths(platform: string): string[] {
  const root = packageRoot();
  return [
    join(root, "build", "Release", "postern.node"),
    join(root, "prebuilds", platform, "postern.node"),
  ];
}

/** Every number of the seam as TypeScript has it, under the names the addon uses. */
export function expectedNumbers(): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, value] of [...Object.entries(abi), ...Object.entries(limits)]) {
    if (typeof value === "number") numbers.set(name, value);
  }
  for (const [group, members] of Object.entries(abi)) {
    if (typeof members !== "object") continue;
    for (const [name, value] of Object.entries(members)) numbers.set(`${group}.${name}`, value);
  }
  for (const [name, row] of Object.entries(ERRORS)) {
    if (isDecoderError(row.number)) numbers.set(`ERRORS.${name}`, row.number);
  }
  return numbers;
}

/** Errors that a decoder finds; the others are TypeScript's own and never cross the seam. */
function isDecoderError(number: number): boolean {
  return (
    number < 60 && number !== ERRORS.AJP_SECRET.number && number !== ERRORS.AJP_ATTRIBUTE.number
  );
}

/**
 * Compares an addon's numbers and names with ours.
 *
 * @returns the first difference as one clause, or undefined when there is none
 */
export function abiDifference(report: AbiReport): string | undefined {
  const expected = expectedNumbers();
  for (const [name, number] of expected) {
    const theirs = report.numbers[name];
    if (theirs !== number) return `${name} is ${theirs ?? "absent"} there and ${number} here`;
  }
  for (const name of Object.keys(report.numbers)) {
    if (!expected.has(name)) return `${name} is absent here`;
  }
  const count = Math.max(FIELD_NAMES.length, report.fieldNames.length);
  for (let id = 0; id < count; id++) {
    const theirs = report.fieldNames[id];
    if (theirs !== FIELD_NAMES[id]) {
      return `field name ${id} is ${theirs ?? "absent"} there and ${FIELD_NAMES[id] ?? "absent"} here`;
    }
  }
  return undefined;
}

/** Functions have no number in the report: those that came later are looked for. */
function missingFunction(addon: Addon): string | undefined {
  const missing = (["renewDecoder", "createLines"] as const).find(
    (name) => typeof addon[name] !== "function",
  );
  return missing && `${missing} is absent there`;
}

/** Loads one file; the reason is one clause, without the loader's further lines. */
function loadFile(path: string): LoadedAddon {
  try {
    const addon = require(path) as Addon;
    const difference = abiDifference(addon.abi()) ?? missingFunction(addon);
    if (difference === undefined) return { addon, path };
    return { reason: `the addon is of another build: ${difference}` };
  } catch (error) {
    // Whatever the loader does not like (C library, architecture, permission) leaves us with TypeScript.
    const message = error instanceof Error ? error.message : String(error);
    return { reason: `the addon does not load: ${message.split("\n", 1)[0]}` };
  }
}

/**
 * Loads the first of these files that can be used.
 *
 * @param paths absolute paths, the best first
 * @returns the addon; or the reason of the first file that exists and cannot be used
 */
export function loadAddon(paths: readonly string[]): LoadedAddon {
  let failure: LoadedAddon | undefined;
  for (const path of paths) {
    if (!existsSync(path)) continue;
    const loaded = loadFile(path);
    if (loaded.addon !== undefined) return loaded;
    failure ??= loaded;
  }
  return failure ?? { reason: "the addon is not built" };
}

/** Ring and tables, and the addon's handle of them. */
function createMemory(
  addon: Addon,
  ring: Ring,
  tables: Tables,
): { ring: Ring; tables: Tables; memory: MemoryHandle } {
  const { events, fields, state } = tables;
  const { bytes, readEnd, headEnd } = ring;
  return {
    ring,
    tables,
    memory: addon.createMemory(bytes, events, fields, state, readEnd, headEnd),
  };
}

/** Bytes that a transport reads, of all its connections, before TypeScript looks at them. */
const TURN_BYTES = 524_288;
/** Largest heads that its field table holds; of usual ones some thirty times as many. */
const TURN_HEADS = 4;

/** Makes transports of the addon; undefined where it has none (other systems than Linux). */
export function nativeTransport(addon: Addon): TransportFactory | undefined {
  const { openTransport } = addon;
  if (openTransport === undefined) return undefined;
  return ({ limits: { headBytes, fieldCount }, decoderOptions, protocols, turn }) => {
    const ring = createRing(headBytes, TURN_BYTES);
    const { tables, memory } = createMemory(addon, ring, createTables(fieldCount, TURN_HEADS));
    const options = writeOptions(new Float64Array(abi.DECODER_OPTIONS), decoderOptions);
    const functions = openTransport(memory, options, protocols, turn);
    // Straight from the addon: half of what latin1Slice costs.
    return { ring: { ...ring, text: functions.text, landing: new Landing() }, tables, functions };
  };
}

/** Makes engines whose decoders run in the addon. */
export function nativeEngine(addon: Addon): EngineFactory {
  return ({ headBytes, fieldCount }): Engine => {
    const { ring, tables, memory } = createMemory(
      addon,
      createRing(headBytes),
      createTables(fieldCount),
    );
    const pool = new DecoderPool(addon, memory, tables);
    return {
      name: "native",
      ring,
      tables,
      createDecoder: (protocol, options) => pool.take(protocol, options),
    };
  };
}

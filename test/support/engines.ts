/**
 * The engines that decoder tests run on: TypeScript always, native when the addon is built.
 * It tests nothing itself. Where the addon is missing, its half is reported as skipped by name; with CI=true that fails.
 */
import { describe } from "vitest";
import type { EngineFactory, EngineName } from "../../src/engine/engine.ts";
import { loadAddon, nativeEngine } from "../../src/engine/native.ts";
import { createTypescriptEngine } from "../../src/engine/typescript.ts";
import { ajp } from "../../src/protocols/ajp/protocol.ts";
import { fastcgi } from "../../src/protocols/fastcgi/protocol.ts";
import type { Protocol } from "../../src/protocols/protocol.ts";
import { scgi } from "../../src/protocols/scgi/protocol.ts";
import { DEFAULT_LIMITS, type DecoderOptions } from "../../src/wire/limits.ts";
import { testAddonPaths } from "./addon.ts";

/** One engine under test, or the reason why it cannot run. */
export interface TestEngine {
  readonly name: EngineName;
  readonly create: EngineFactory | undefined;
  readonly reason: string;
}

const loaded = loadAddon(testAddonPaths());

/** Both engines. */
export const ENGINES: readonly TestEngine[] = [
  { name: "typescript", create: createTypescriptEngine, reason: "" },
  loaded.addon === undefined
    ? { name: "native", create: undefined, reason: loaded.reason }
    : { name: "native", create: nativeEngine(loaded.addon), reason: "" },
];

/** What bytes go through in a server: an engine over node:net, or the addon's own transport. */
export type Configuration = EngineName | "native transport";

/** Every configuration, or the reason why it cannot run; there are transports of the addon on Linux only. */
export const CONFIGURATIONS: readonly (Omit<TestEngine, "name"> & {
  readonly name: Configuration;
})[] = [
  ...ENGINES,
  ...(process.platform === "linux" ? [{ ...ENGINES[1]!, name: "native transport" as const }] : []),
];

/** The options of a server that make it run in a configuration. */
export function wayOf(configuration: Configuration): {
  readonly engine: EngineName;
  readonly transport: "node" | "native";
} {
  if (configuration === "native transport") return { engine: "native", transport: "native" };
  return { engine: configuration, transport: "node" };
}

/**
 * Runs one suite for each engine; one that cannot run is skipped by name, or fails where CI asks for both.
 *
 * @param names the engines meant, both by default
 */
export function describeEngines(
  title: string,
  body: (create: EngineFactory) => void,
  names: readonly EngineName[] = ["typescript", "native"],
): void {
  for (const engine of ENGINES.filter((one) => names.includes(one.name))) {
    const create = engine.create;
    if (create !== undefined) {
      describe(`${title} · ${engine.name}`, () => body(create));
      continue;
    }
    if (process.env.CI === "true") {
      throw new Error(`The ${engine.name} engine must be tested here, but ${engine.reason}.`);
    }
    describe.skip(`${title} · ${engine.name} (skipped: ${engine.reason})`, () =>
      body(createTypescriptEngine));
  }
}

/** The protocols with a decoder. */
export const DECODED_PROTOCOLS: {
  readonly fastcgi: Protocol;
  readonly scgi: Protocol;
  readonly ajp: Protocol;
} = { fastcgi, scgi, ajp };

/** Name of a protocol with a decoder. */
export type DecodedProtocol = keyof typeof DECODED_PROTOCOLS;

/** A server's decoder options: the defaults, with multiplexing off, and whatever a test changes. */
export function decoderOptions(changed: Partial<DecoderOptions> = {}): DecoderOptions {
  const { headBytes, fieldCount, nameBytes, valueBytes, bodyBytes, headRecords } = DEFAULT_LIMITS;
  return {
    headBytes,
    fieldCount,
    nameBytes,
    valueBytes,
    bodyBytes,
    headRecords,
    requestsPerConnection: 1,
    ajpPacketBytes: 8192,
    ajpRawBody: false,
    scgiStrict: false,
    ...changed,
  };
}

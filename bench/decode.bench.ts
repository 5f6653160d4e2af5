/**
 * How long each engine takes to decode one request, by protocol and kind of request: a table on standard output.
 * It reads no socket, makes no head string and calls no handler. Rows are checked before anything is timed.
 * POSTERN_BENCH_BLINK=1 runs everything for a blink, so that a test can see that it works.
 */
import { arch, cpus, platform } from "node:os";
import { Bench } from "tinybench";
import type { EngineFactory, EngineName } from "../src/engine/engine.ts";
import { addonPaths, loadAddon, nativeEngine } from "../src/engine/native.ts";
import { createTypescriptEngine } from "../src/engine/typescript.ts";
import { decodeCase, PROTOCOLS } from "./cases.ts";
import { type DecodedProtocol, REQUESTS, readsOf } from "./streams.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
const isFull = process.argv.includes("--full");
/** Requests of one measured call: many, since reading the clock costs as much as decoding one. */
const BATCH = isBlink ? 2 : 64;
const bench = new Bench({
  time: isBlink ? 1 : isFull ? 1_000 : 300,
  warmupTime: isBlink ? 1 : isFull ? 300 : 100,
  iterations: isBlink ? 1 : 64,
  warmupIterations: isBlink ? 1 : 16,
});

const loaded = loadAddon(addonPaths(`${platform()}-${arch()}`));
const engines: [EngineName, EngineFactory][] = [["typescript", createTypescriptEngine]];
if (loaded.addon !== undefined) engines.push(["native", nativeEngine(loaded.addon)]);

const keyOf = (engine: EngineName, protocol: string, request: string): string =>
  `${engine} ${protocol} ${request}`;
const protocols = Object.keys(PROTOCOLS) as DecodedProtocol[];
const sizes = new Map<string, number>();

for (const protocol of protocols) {
  for (const [title, request] of Object.entries(REQUESTS)) {
    const reads = readsOf(protocol, request);
    sizes.set(
      `${protocol} ${title}`,
      reads.reduce((sum, read) => sum + read.bytes.length, 0),
    );
    for (const [engine, create] of engines) {
      const one = decodeCase(create, protocol, reads);
      one.check(request);
      bench.add(keyOf(engine, protocol, title), () => {
        for (let i = 0; i < BATCH; i++) one.decodeOnce();
      });
    }
  }
}
await bench.run();

/** Median nanoseconds for one request; undefined where the engine did not run. */
function nanoseconds(engine: EngineName, protocol: string, title: string): number | undefined {
  const result = bench.getTask(keyOf(engine, protocol, title))?.result;
  if (result === undefined || !("latency" in result)) return undefined;
  return (result.latency.p50 * 1e6) / BATCH;
}

const shown = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(0));
const table = [
  ["protocol", "request", "bytes", "typescript ns", "native ns", "native / typescript"],
  ...protocols.flatMap((protocol) =>
    Object.keys(REQUESTS).map((title) => {
      const typescript = nanoseconds("typescript", protocol, title);
      const native = nanoseconds("native", protocol, title);
      const ratio =
        typescript === undefined || native === undefined ? "–" : (native / typescript).toFixed(2);
      const bytes = String(sizes.get(`${protocol} ${title}`));
      return [protocol, title, bytes, shown(typescript), shown(native), ratio];
    }),
  ),
];
const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
const line = (row: string[]): string =>
  `| ${row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}`);
if (loaded.addon === undefined) console.log(`native is missing: ${loaded.reason}`);
console.log(line(table[0]!));
console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
for (const row of table.slice(1)) console.log(line(row));

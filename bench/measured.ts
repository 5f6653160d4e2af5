/**
 * Named functions → median nanoseconds and allocated bytes of one call each, and tables of them on standard output.
 * It knows nothing of what it measures. POSTERN_BENCH_BLINK=1 makes everything short and all numbers meaningless.
 */
import { cpus } from "node:os";
import { Bench } from "tinybench";

/** Is this a run that only shows that nothing has rotted? */
export const isBlink: boolean = process.env["POSTERN_BENCH_BLINK"] === "1";
const isFull = process.argv.includes("--full");
/** Calls between two looks at the clock, which costs as much as some of them. */
const BATCH = isBlink ? 2 : 256;
/** Few enough that the young generation has room for all they allocate. */
const WEIGHED = isBlink ? 2 : 1_000;
const ROUNDS = isBlink ? 1 : 15;

/** What one call costs. */
export interface Cost {
  readonly ns: number;
  /** Bytes of the heap, garbage included. */
  readonly bytes: number;
}

/** Bytes of the heap that one call takes: the median of some rounds. */
function allocated(run: () => unknown): number {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < WEIGHED; i++) run();
    rounds.push((process.memoryUsage().heapUsed - before) / WEIGHED);
  }
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!;
}

/** Measures every function, each in batches. */
export async function measure(
  runs: ReadonlyMap<string, () => unknown>,
): Promise<Map<string, Cost>> {
  const bench = new Bench({
    time: isBlink ? 1 : isFull ? 500 : 150,
    warmupTime: isBlink ? 1 : isFull ? 200 : 80,
    iterations: isBlink ? 1 : 32,
    warmupIterations: isBlink ? 1 : 16,
  });
  for (const [title, run] of runs) {
    bench.add(title, () => {
      for (let i = 0; i < BATCH; i++) run();
    });
  }
  await bench.run();
  const costs = new Map<string, Cost>();
  for (const [title, run] of runs) {
    const result = bench.getTask(title)?.result;
    if (result === undefined || !("latency" in result)) throw new Error(`no result of ${title}`);
    costs.set(title, { ns: (result.latency.p50 * 1e6) / BATCH, bytes: allocated(run) });
  }
  return costs;
}

/** A number of a table, never below nothing. */
export const whole = (value: number): string => String(Math.max(0, Math.round(value)));

/** Prints the machine, and rows under their first one; the first `words` columns are words, the rest numbers. */
export function print(table: readonly (readonly string[])[], words: number): void {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i < words ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}`);
  console.log(line(table[0]!));
  console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const row of table.slice(1)) console.log(line(row));
}

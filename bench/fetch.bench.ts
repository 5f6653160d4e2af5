/**
 * What a Web-style handler costs on the handler's side: making and reading a Request, and sending a Response.
 * Nanoseconds and allocated bytes, by native classes and by ours. Reads no socket and encodes nothing.
 */
import { cpus } from "node:os";
import { Bench } from "tinybench";
import { nodeHandlerOf } from "../src/handler/fetch/adapter.ts";
import type { FetchHandler } from "../src/handler/fetch/info.ts";
import {
  directExchange,
  exchange,
  MAKERS,
  NativeResponse,
  nodeRequest,
  TOUCHES,
} from "./fetch-cases.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
const isFull = process.argv.includes("--full");
const BATCH = isBlink ? 2 : 64;
/** Few enough that the young generation has room for all they allocate. */
const WEIGHED = isBlink ? 2 : 200;
const ROUNDS = isBlink ? 1 : 15;

/** One light Response, as srvx makes them. */
class Light {
  readonly status = 200;
  readonly headers: readonly string[] = ["content-type", "text/plain"];
  _toNodeResponse(): object {
    return { status: 200, headers: this.headers, body: "hello" };
  }
}

type Run = () => unknown;
const report = (error: unknown): never => {
  throw error;
};
const errors = { report, answer: report };

function handled(handler: ReturnType<typeof nodeHandlerOf>): Run {
  return async () => {
    const { req, res, sink } = exchange("GET");
    await handler(req, res);
    if (!sink.ended || sink.sentBytes !== 5) throw new Error("the answer did not leave whole");
  };
}

/** The same without node's req and res. */
function direct(fetch: FetchHandler): Run {
  const take = directExchange({ fetch, errors });
  return async () => {
    const sink = take("GET");
    // A native Response is read in promises.
    while (!sink.ended) await undefined;
    if (sink.sentBytes !== 5) throw new Error("the answer did not leave whole");
  };
}

const nativeText = (): Response => new NativeResponse("hello");
/** As applications write it: the global one, which is lazy. */
const globalText = (): Response => new Response("hello");
const lightText = (): Response => new Light() as unknown as Response;

const ANSWERS: Readonly<Record<string, Run>> = {
  "(req, res) and res.end(text)": handled((_req, res) => {
    res.setHeader("content-type", "text/plain");
    res.end("hello");
    return undefined;
  }),
  "native Response of text": handled(nodeHandlerOf(nativeText, errors)),
  "light Response of text": handled(nodeHandlerOf(lightText, errors)),
  "new Response of text": handled(nodeHandlerOf(globalText, errors)),
  "native Response of text, without req and res": direct(nativeText),
  "light Response of text, without req and res": direct(lightText),
  "new Response of text, without req and res": direct(globalText),
};

/** The node requests of a batch are made before the clock starts where they can be used more than once. */
function requested(title: string, maker: keyof typeof MAKERS): Run {
  const { method, touch } = TOUCHES[title]!;
  const make = MAKERS[maker];
  const kept = nodeRequest("GET");
  return method === "GET" ? () => touch(make(kept)) : () => touch(make(nodeRequest(method)));
}

const runs = new Map<string, Run>(Object.entries(ANSWERS));
for (const title of Object.keys(TOUCHES)) {
  for (const maker of ["native", "lazy"] as const) {
    runs.set(`${maker} ${title}`, requested(title, maker));
  }
}

const bench = new Bench({
  time: isBlink ? 1 : isFull ? 500 : 200,
  warmupTime: isBlink ? 1 : isFull ? 200 : 100,
  iterations: isBlink ? 1 : 32,
  warmupIterations: isBlink ? 1 : 16,
});
/** A turn of the loop: what native classes hold by WeakRef is let go between turns only, as between real requests. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
for (const [title, run] of runs) {
  bench.add(title, async () => {
    for (let i = 0; i < BATCH; i++) await run();
    await turn();
  });
}
await bench.run();

function nanoseconds(title: string): number {
  const result = bench.getTask(title)?.result;
  if (result === undefined || !("latency" in result)) throw new Error(`no result of ${title}`);
  return (result.latency.p50 * 1e6) / BATCH;
}

/** Median bytes of the heap that one run takes, garbage included. */
async function allocated(run: Run): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await turn();
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < WEIGHED; i++) await run();
    rounds.push((process.memoryUsage().heapUsed - before) / WEIGHED);
  }
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!;
}

const bytes = new Map<string, number>();
for (const [title, run] of runs) bytes.set(title, await allocated(run));

function print(table: readonly (readonly string[])[]): void {
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`;
  console.log(line(table[0]!));
  console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
  for (const row of table.slice(1)) console.log(line(row));
  console.log();
}

const whole = (value: number): string => String(Math.max(0, Math.round(value)));
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}`);
print([
  ["request", "native ns", "lazy ns", "lazy / native", "native bytes", "lazy bytes"],
  ...Object.keys(TOUCHES).map((title) => {
    const [native, lazy] = [nanoseconds(`native ${title}`), nanoseconds(`lazy ${title}`)];
    const [large, small] = [bytes.get(`native ${title}`)!, bytes.get(`lazy ${title}`)!];
    const ratio = (lazy / native).toFixed(2);
    return [title, whole(native), whole(lazy), ratio, whole(large), whole(small)];
  }),
]);
print([
  ["whole handler", "ns", "bytes"],
  ...Object.keys(ANSWERS).map((title) => [
    title,
    whole(nanoseconds(title)),
    whole(bytes.get(title)!),
  ]),
]);

/**
 * What req and res cost: from a request's head to objects, to what is read of them, to the bytes of an answer.
 * Nanoseconds and allocated bytes, ours beside node's own objects. Reads no socket, decodes and encodes nothing.
 */
import { cpus } from "node:os";
import { CASES, type Case, lastSeen, onNodes, onOurs, type Run, Tally } from "./request-cases.ts";

const isBlink = process.env["POSTERN_BENCH_BLINK"] === "1";
const ROUNDS = isBlink ? 1 : 40;
const REQUEST_COUNT = isBlink ? 40 : 2_000;
/** Requests between two turns of the loop, as a busy server reads them. */
const LANES = 16;
/** Few enough that the young generation has room for all they allocate. */
const WEIGHED = isBlink ? 2 : 200;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function many(run: Run, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    run();
    if (i % LANES === LANES - 1) await turn();
  }
  await turn();
}

/** Runs it once and compares its answer; node's own puts head and body into one text. */
async function check(title: string, one: Case, run: Run, tally: Tally): Promise<void> {
  tally.kept = { status: 0, fields: [], body: "" };
  run();
  await turn();
  const { kept } = tally;
  tally.kept = undefined;
  const { answer } = one;
  if (answer === undefined) {
    if (title !== "nothing read" && lastSeen() === undefined) throw new Error(`${title}: unread`);
    return;
  }
  const isWhole =
    kept.status === 0
      ? kept.body.startsWith("HTTP/1.1 200 OK\r\n") && kept.body.endsWith(answer.body)
      : kept.status === answer.status &&
        kept.fields.join() === answer.fields.join() &&
        kept.body === answer.body;
  if (!isWhole) throw new Error(`${title}: not the answer, but ${JSON.stringify(kept)}`);
}

/** Median bytes of the heap that one run takes, garbage included. */
async function allocated(run: Run): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < Math.min(ROUNDS, 15); round++) {
    await turn();
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    await many(run, WEIGHED);
    rounds.push((process.memoryUsage().heapUsed - before) / WEIGHED);
  }
  return rounds.sort((a, b) => a - b)[rounds.length >> 1]!;
}

/** One column of one row. */
interface Cell {
  readonly run: Run;
  readonly tally: Tally;
  readonly title: string;
  ns: number;
  bytes: number;
}

const only =
  process.argv
    .slice(2)
    .find((word) => word.startsWith("--only="))
    ?.slice(7) ?? "";
const titles = Object.keys(CASES).filter((title) => title.includes(only));
const rows: { title: string; ours: Cell; nodes: Cell }[] = [];
for (const title of titles) {
  const one = CASES[title]!;
  const cells = await Promise.all(
    [onOurs, onNodes].map(async (make): Promise<Cell> => {
      const tally = new Tally();
      const run = make(one, tally);
      await check(title, one, run, tally);
      return { run, tally, title, ns: Number.POSITIVE_INFINITY, bytes: 0 };
    }),
  );
  rows.push({ title, ours: cells[0]!, nodes: cells[1]! });
}

const cells = rows.flatMap(({ ours, nodes }) => [ours, nodes]);
/**
 * CPU time of the whole process, so that the collector's threads count; the least of all rounds. Cells take turns in
 * going first, so that other work on the machine touches all alike.
 */
for (let round = 0; round < ROUNDS; round++) {
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[(round + i) % cells.length]!;
    cell.tally.ended = 0;
    const before = process.cpuUsage();
    await many(cell.run, REQUEST_COUNT);
    const { user, system } = process.cpuUsage(before);
    cell.ns = Math.min(cell.ns, ((user + system) * 1_000) / REQUEST_COUNT);
    const answers = CASES[cell.title]!.answer === undefined ? 0 : REQUEST_COUNT;
    if (cell.tally.ended !== answers) throw new Error(`${cell.title}: ${cell.tally.ended} answers`);
  }
}
for (const cell of cells) cell.bytes = await allocated(cell.run);

const whole = (value: number): string => String(Math.max(0, Math.round(value)));
const table = [
  ["request", "ours ns", "node's ns", "ours / node's", "ours bytes", "node's bytes"],
  ...rows.map(({ title, ours, nodes }) => [
    title,
    whole(ours.ns),
    whole(nodes.ns),
    (ours.ns / nodes.ns).toFixed(2),
    whole(ours.bytes),
    whole(nodes.bytes),
  ]),
];
const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
const print = (row: readonly string[]): void =>
  console.log(
    `| ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |`,
  );
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}`);
print(table[0]!);
console.log(`|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`);
for (const row of table.slice(1)) print(row);

/**
 * A framework and a list of scenarios → one test a scenario, each asked of node:http and of postern in every way.
 * It counts what was equal and compares the counts with docs/compatibility.md; what may differ is comparison.ts.
 */
import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Room, until } from "../support/front/ports.ts";
import { type Ask, keepConnection, type Seen, visit } from "./clients.ts";
import { type Allowed, compare } from "./comparison.ts";
import { committedRow, type Row, rowText, saveRow, type Title } from "./document.ts";
import { type Framework, MISSING, type Served, serveBy, type Stage, WAYS } from "./servers.ts";

/** One thing that clients do. */
export interface Scenario {
  readonly name: string;
  /** Questions in turn; one that depends on earlier answers is a function of them. */
  readonly asks: readonly (Ask | ((seen: readonly Seen[]) => Ask))[];
  /** What node:http must answer to each, so that the scenario shows what it says; 0: no answer. */
  readonly statuses: readonly number[];
  /** Compares what gzip wraps and not its bytes, which depend on when pieces came. */
  readonly unzips?: boolean;
  /** The handler's last mark: before it, marks are not complete. */
  readonly lastMark?: string;
}

/** A framework and what is asked of it. */
export interface Plan {
  readonly title: Title;
  load(): Promise<Framework>;
  readonly scenarios: readonly Scenario[];
}

/** What one server said to a scenario. */
interface Told {
  readonly seen: readonly Seen[];
  readonly marks: readonly string[];
}

/** 1 MiB that is not the same everywhere. */
const BIG = Buffer.alloc(1_048_576, Buffer.from(Array.from({ length: 251 }, (_, i) => i)));

function fillFolder(folder: string): void {
  const files: Readonly<Record<string, string | Buffer>> = {
    "hello.txt": "hello from a file\n",
    "big.bin": BIG,
    "index.html": "<p>index</p>",
    "deep/index.html": "<p>deep</p>",
    "empty.txt": "",
    ".hidden": "hidden",
    "h\u00e9llo.txt": "accented",
  };
  mkdirSync(join(folder, "deep"));
  const then = new Date("2023-01-02T03:04:05Z");
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    utimesSync(join(folder, name), then, then);
  }
}

/** What proxies are in front of. */
function upstreamServer(): Server {
  return createServer((req, res) => {
    const pieces: Buffer[] = [];
    req.on("data", (piece: Buffer) => pieces.push(piece));
    req.on("end", () => {
      res.sendDate = false;
      res.writeHead(203, "From upstream", { "X-Up": "1", "Set-Cookie": ["u=1", "v=2"] });
      res.write(`${req.method} ${req.url} ${req.headers["x-key"] ?? ""} `);
      res.end(Buffer.concat(pieces));
    });
  });
}

async function tell(served: Served, scenario: Scenario): Promise<Told> {
  served.marks.length = 0;
  const seen: Seen[] = [];
  // As web servers do: one question, one connection; several in turn over a kept one.
  const kept = scenario.asks.length > 1 ? keepConnection(served) : undefined;
  for (const ask of scenario.asks) {
    seen.push(await visit(served, typeof ask === "function" ? ask(seen) : ask, kept));
  }
  kept?.close();
  await until("no connection is open", () => served.isIdle());
  // What the close of a socket brings about happens in the turns after it.
  for (let turn = 0; turn < 3; turn++) await new Promise((done) => setImmediate(done));
  const { lastMark } = scenario;
  if (lastMark !== undefined) {
    await until(`${lastMark} among ${JSON.stringify(served.marks)}`, () =>
      served.marks.some((mark) => mark.startsWith(lastMark)),
    ).catch((error: Error) => served.marks.push(error.message));
  }
  return { seen, marks: [...served.marks] };
}

function unzipped(seen: Seen): Seen {
  return { ...seen, body: gunzipSync(seen.body) };
}

/** Differences of one way, those allowed put aside. */
function judge(node: Told, ours: Told, allowed: Set<Allowed>, unzips = false): string[] {
  const wrong = node.seen.flatMap((seen, index) => {
    const [left, right] = unzips
      ? [unzipped(seen), unzipped(ours.seen[index]!)]
      : [seen, ours.seen[index]!];
    const verdict = compare(left, right);
    for (const name of verdict.allowed) allowed.add(name);
    return verdict.wrong.map((text) => `answer ${index + 1}: ${text}`);
  });
  const [left, right] = [node.marks, ours.marks].map((marks) => JSON.stringify(marks, null, 1));
  if (left !== right) wrong.push(`marks: node ${left}, postern ${right}`);
  return wrong;
}

/** Everything that runs for one framework. */
class Grid {
  readonly #room = new Room("compat");
  readonly #upstream = upstreamServer();
  readonly #plan: Plan;
  #node: Served | undefined;
  #ours: readonly Served[] = [];
  readonly #equal = new Map<string, number>();
  readonly #allowed = new Set<Allowed>();
  count = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  async open(): Promise<void> {
    const folder = this.#room.folder("files");
    fillFolder(folder);
    await new Promise<void>((done) => this.#upstream.listen(0, "127.0.0.1", done));
    const { port } = this.#upstream.address() as AddressInfo;
    const stage: Stage = { folder, upstream: `http://127.0.0.1:${port}` };
    const app = await (await this.#plan.load()).open(stage);
    this.#node = await serveBy({ protocol: "http", configuration: "" }, app);
    this.#ours = await Promise.all(WAYS.map((way) => serveBy(way, app)));
  }

  async play(scenario: Scenario): Promise<void> {
    this.count += 1;
    const node = await tell(this.#node!, scenario);
    expect(
      node.seen.map(({ status }) => status),
      "node:http itself",
    ).toEqual(scenario.statuses);
    const wrong = new Map<string, string[]>();
    await Promise.all(
      this.#ours.map(async (served) => {
        const lines = judge(node, await tell(served, scenario), this.#allowed, scenario.unzips);
        const name = `${served.way.protocol} ${served.way.configuration}`;
        if (lines.length === 0) this.#equal.set(name, (this.#equal.get(name) ?? 0) + 1);
        for (const line of lines) wrong.set(line, [...(wrong.get(line) ?? []), name]);
      }),
    );
    const told = [...wrong].map(([line, ways]) => `${line} (${ways.sort().join(", ")})`);
    if (told.length > 0) throw new Error(["not as by node:http", ...told].join("\n"));
  }

  row(): Row {
    const equal = Object.fromEntries(this.#equal);
    return { ...this.#plan.title, count: this.count, equal, allowed: [...this.#allowed].sort() };
  }

  async close(): Promise<void> {
    for (const served of [this.#node, ...this.#ours]) await served?.close();
    this.#upstream.closeAllConnections();
    this.#upstream.close();
    this.#room.remove();
  }
}

/** Runs a framework's scenarios. */
export function compat({ title, load, scenarios }: Plan): void {
  describe(title.name, () => {
    const grid = new Grid({ title, load, scenarios });
    beforeAll(() => grid.open());
    afterAll(() => grid.close());
    for (const scenario of scenarios) {
      test(`${scenario.name}: as by node:http`, () => grid.play(scenario));
    }
    const rule = "the row in docs/compatibility.md is what this run produced";
    if (MISSING.length > 0) {
      if (process.env["CI"] === "true") throw new Error(MISSING.join("\n"));
      test.skip(`${rule} (skipped: ${MISSING})`, () => undefined);
      return;
    }
    test(rule, ({ skip }) => {
      // `-t` and `.only` leave scenarios out; then there is no whole row.
      if (grid.count < scenarios.length) skip("not every scenario was run");
      saveRow(grid.row());
      if (process.env["POSTERN_COMPAT"] === "write") return;
      expect(committedRow(title.name)).toBe(rowText(grid.row()));
    });
  });
}

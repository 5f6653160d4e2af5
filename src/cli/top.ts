/**
 * One status after the other → frames of a screen that stays up to date: rates since the last one, the busiest first.
 *
 * On a terminal each frame takes the place of the former; elsewhere they follow each other, plain. Its head is
 * inverse where there are colours. Asks by the function it is given.
 */
import type { Status, WorkerStatus } from "../workers/control-messages.ts";
import { coloured } from "./colour.ts";
import { summary, workerTable } from "./status-table.ts";
import type { Screen } from "./verb-runs.ts";
import type { VerbCommand } from "./verbs.ts";

const HOME_AND_CLEAR = "\u001b[H\u001b[2J";

/** What of a frame the next one needs. */
interface Former {
  readonly atMs: number;
  readonly requests: ReadonlyMap<number, number>;
}

function withRate(worker: WorkerStatus, atMs: number, former: Former | undefined): WorkerStatus {
  const { requests } = worker.load;
  const before = former?.requests.get(worker.id);
  if (requests === undefined || before === undefined || former === undefined) return worker;
  const requestsPerSecond = (1_000 * Math.max(0, requests - before)) / (atMs - former.atMs);
  return { ...worker, load: { ...worker.load, requestsPerSecond } };
}

const busyness = ({ load }: WorkerStatus): number => load["utilisation"] ?? -1;

function linesOf(status: Status, workers: readonly WorkerStatus[], screen: Screen): string[] {
  const [head = "", ...rows] = workerTable(workers);
  const shownHead = coloured(head, "inverse", screen.hasColours);
  return [...summary(status), "", shownHead, ...rows];
}

/** Shows frames, as many as asked. */
export async function topFrames(
  { frames, intervalMs, json }: VerbCommand,
  screen: Screen,
  ask: () => Promise<Status>,
): Promise<void> {
  let former: Former | undefined;
  for (let frame = 1; ; frame++) {
    const status = await ask();
    const atMs = performance.now();
    const workers = status.workers
      .map((worker) => withRate(worker, atMs, former))
      .sort((one, other) => busyness(other) - busyness(one) || one.id - other.id);
    former = {
      atMs,
      requests: new Map(workers.map(({ id, load }) => [id, load["requests"] ?? 0])),
    };
    if (json) screen.write(`${JSON.stringify({ ...status, workers })}\n`);
    else {
      const text = `${linesOf(status, workers, screen).join("\n")}\n`;
      const gap = frame === 1 ? "" : "\n";
      screen.write(screen.isTerminal ? `${HOME_AND_CLEAR}${text}` : `${gap}${text}`);
    }
    if (frame >= frames) return;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

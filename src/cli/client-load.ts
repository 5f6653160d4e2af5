/**
 * `postern load`: a small load test → progress on a terminal, then counts, quantiles and a histogram, or JSON.
 *
 * Progress is on standard error and only where that is a terminal; colours only on a terminal, and not with NO_COLOR.
 */
import { type LoadPlan, LoadTally, runLoad } from "../client/load.ts";
import { coloured } from "./colour.ts";
import { targetText } from "./client-address.ts";
import { requestParts } from "./client-parts.ts";
import { type ClientScreen, harmless } from "./client-screen.ts";
import { type ClientCommand, connectionOf, msValue, wholeValue } from "./client-words.ts";

const CONNECTIONS_DEFAULT = 10;
const CONNECTIONS_MAX = 10_000;
const REQUESTS_MAX = 999_999_999;
const DURATION_MS = 5_000;
const REQUEST_MS = 10_000;
const FRAME_MS = 200;
const BAR_WIDTH = 40;
const QUANTILES = [0.5, 0.9, 0.99, 0.999] as const;
const STATUS_FAILED = 400;

function planOf(command: ClientCommand, signal: AbortSignal): LoadPlan {
  const requests = wholeValue(command, "requests", { min: 1, max: REQUESTS_MAX });
  const isTimed = requests === undefined || command.values.has("duration");
  return {
    connection: { ...connectionOf(command), keepAlive: !command.values.has("close") },
    request: requestParts(command, false),
    connections:
      wholeValue(command, "connections", { min: 1, max: CONNECTIONS_MAX }) ?? CONNECTIONS_DEFAULT,
    requests: requests ?? Number.POSITIVE_INFINITY,
    durationMs: isTimed ? msValue(command, "duration", DURATION_MS) : Number.POSITIVE_INFINITY,
    requestMs: msValue(command, "timeout", REQUEST_MS),
    signal,
  };
}

/** `[########------------]  40 %  1234 requests`. */
function progressLine(plan: LoadPlan, tally: LoadTally, elapsedMs: number): string {
  const done = tally.answered + tally.failed;
  const share = Math.min(1, Math.max(done / plan.requests, elapsedMs / plan.durationMs));
  const full = Math.round(share * BAR_WIDTH);
  const bar = `${"#".repeat(full)}${"-".repeat(BAR_WIDTH - full)}`;
  return `[${bar}] ${String(Math.round(share * 100)).padStart(3)} %  ${done} requests`;
}

/** Shows progress until it is told to stop. */
function showProgress(plan: LoadPlan, tally: LoadTally, screen: ClientScreen): () => void {
  if (!screen.isTerminal) return () => undefined;
  const startedMs = performance.now();
  const timer = setInterval(() => {
    screen.note(`\r${progressLine(plan, tally, performance.now() - startedMs)}`);
  }, FRAME_MS);
  return () => {
    clearInterval(timer);
    screen.note("\r\x1b[K");
  };
}

const shown = (ms: number): string => ms.toFixed(ms < 10 ? 2 : 1);

function histogramLines({ latencies }: LoadTally, hasColours: boolean): string[] {
  const rows = latencies.rows();
  const most = Math.max(...rows.map(({ count }) => count));
  return rows.map(({ fromMs, toMs, count }) => {
    const bar = "#".repeat(Math.ceil((count / most) * BAR_WIDTH)).padEnd(BAR_WIDTH);
    const place = `${shown(fromMs).padStart(8)} to ${shown(toMs).padStart(8)} ms`;
    return `  ${place}  ${coloured(bar, "cyan", hasColours)}  ${count}`;
  });
}

function summaryLines(
  command: ClientCommand,
  plan: LoadPlan,
  tally: LoadTally,
  hasColours: boolean,
): string[] {
  const { latencies, statuses, failures, answered, failed, elapsedMs, bodyBytes } = tally;
  const perSecond = Math.round(answered / (elapsedMs / 1_000));
  const quantiles = QUANTILES.map(
    (share) => `${share * 100} % ${shown(latencies.quantileMs(share))}`,
  );
  return [
    `${targetText(command.target)}, ${plan.connections} connections, ${(elapsedMs / 1_000).toFixed(1)} s`,
    `${answered} answers, ${perSecond} a second, ${bodyBytes} bytes of bodies; ${failed} failed`,
    ...[...statuses]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `status ${status}: ${count}`),
    ...[...failures].map(([sentence, count]) => `failed: ${count} × ${harmless(sentence)}`),
    `latency in ms: mean ${shown(latencies.meanMs)}, ${quantiles.join(", ")}, max ${shown(latencies.maxMs)}`,
    "",
    ...histogramLines(tally, hasColours),
  ];
}

function summaryOf(command: ClientCommand, plan: LoadPlan, tally: LoadTally): unknown {
  const { latencies } = tally;
  return {
    target: targetText(command.target),
    connections: plan.connections,
    elapsedMs: tally.elapsedMs,
    answered: tally.answered,
    failed: tally.failed,
    bodyBytes: tally.bodyBytes,
    statuses: Object.fromEntries(tally.statuses),
    failures: Object.fromEntries(tally.failures),
    latencyMs: {
      mean: latencies.meanMs,
      max: latencies.maxMs,
      quantiles: Object.fromEntries(QUANTILES.map((share) => [share, latencies.quantileMs(share)])),
      histogram: latencies.rows(),
    },
  };
}

/**
 * Runs the command.
 *
 * @returns 0; 1 where a request failed, or with `--fail` one was answered with 400 or more
 * @throws what went wrong first, where nothing was answered at all; UsageError
 */
export async function runLoadTest(command: ClientCommand, screen: ClientScreen): Promise<number> {
  const controller = new AbortController();
  const plan = planOf(command, controller.signal);
  const tally = new LoadTally();
  // Interrupting it shows what there is so far.
  process.once("SIGINT", () => controller.abort());
  const stopProgress = showProgress(plan, tally, screen);
  try {
    await runLoad(plan, tally);
  } finally {
    stopProgress();
  }
  if (tally.answered === 0 && tally.failed > 0) throw tally.firstError;
  const isJson = command.values.has("json");
  const lines = isJson
    ? [JSON.stringify(summaryOf(command, plan, tally), undefined, 2)]
    : summaryLines(command, plan, tally, screen.hasColours);
  await screen.write(`${lines.join("\n")}\n`);
  const isRefused = [...tally.statuses.keys()].some((status) => status >= STATUS_FAILED);
  return tally.failed > 0 || (command.values.has("fail") && isRefused) ? 1 : 0;
}

/**
 * Words of a load → one run of the load generator, and its report.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Address } from "./contender.ts";
import { root } from "./place.ts";
import { loadgenCore } from "./server-process.ts";

/** What the load generator prints. */
export interface LoadReport {
  readonly requests: number;
  readonly errors: number;
  readonly firstError: string | null;
  readonly retries: number;
  readonly requestsPerSecond: number;
  readonly latencyUs: Readonly<Record<"mean" | "p50" | "p90" | "p99" | "p999" | "max", number>>;
  readonly server: {
    readonly cpuUsPerRequest: number;
    readonly cores: number;
    readonly rssBeforeBytes: number;
    readonly rssAfterBytes: number;
  } | null;
  readonly allServedMs?: number;
  readonly openConnections?: number;
  readonly own: { readonly cpuUsPerRequest: number; readonly cores: number };
}

/** Words that say where the server listens. */
export function targetWords(protocol: string, address: Address): string[] {
  const where =
    "socket" in address ? ["--unix", address.socket] : ["--tcp", `${address.host}:${address.port}`];
  return ["--protocol", protocol, ...where];
}

/**
 * Runs it to its end.
 *
 * @param onServed called when every connection has had its answer (`--once`)
 * @throws Error when it printed no report
 */
export function runLoadgen(
  parameters: readonly string[],
  onServed?: () => Promise<void>,
): Promise<LoadReport> {
  return new Promise((done, fail) => {
    const child = spawn(join(root, "build/Release/loadgen"), [...loadgenCore, ...parameters]);
    let [stdout, stderr] = ["", ""];
    let served: Promise<void> | undefined;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      if (served === undefined && stderr.includes("are served")) served = onServed?.();
    });
    child.once("error", fail);
    child.once("close", async () => {
      try {
        await served;
        done(JSON.parse(stdout) as LoadReport);
      } catch {
        fail(new Error(`the load generator: ${stderr.trim().split("\n").at(-1)}`));
      }
    });
  });
}

/**
 * Parameters → one run of the benches' load generator, its report and its exit status.
 * Builds it where it is not up to date; starts no server.
 */
import { spawn, spawnSync } from "node:child_process";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

/** Of the report, what tests ask for. */
export interface LoadReport {
  readonly requests: number;
  readonly errors: number;
  readonly firstError: string | null;
  readonly connects: number;
  readonly requestsPerSecond: number;
  readonly servedConnections: number;
  readonly receivedBytes: number;
  readonly latencyUs: Readonly<Record<"p50" | "p99" | "p999" | "max", number>>;
  readonly server: { readonly cpuUsPerRequest: number; readonly rssAfterBytes: number } | null;
  readonly allServedMs?: number;
  readonly openConnections?: number;
}

/** Why there is no load generator on this machine, or undefined when it is built. */
export function missingLoadgen(): string | undefined {
  const { status, stderr } = spawnSync(process.execPath, ["scripts/build-loadgen.mjs"], {
    cwd: root,
    encoding: "utf8",
  });
  return status === 0 ? undefined : stderr.trim();
}

/** Runs the load generator to its end. */
export function runLoadgen(
  parameters: readonly string[],
): Promise<{ status: number | null; report: LoadReport | undefined; stderr: string }> {
  return new Promise((done, fail) => {
    const child = spawn(join(root, "build/Release/loadgen"), parameters);
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.once("error", fail);
    child.once("close", (status) => {
      const report = stdout.startsWith("{") ? (JSON.parse(stdout) as LoadReport) : undefined;
      done({ status, report, stderr });
    });
  });
}

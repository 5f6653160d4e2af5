/**
 * A load that rises and falls → docs/workers.svg: how many clients ask, and how many workers postern keeps for them.
 *
 * Runs the built command (`npm run build` first) with runfcgi's bounds and counts its children as Linux shows them. A record of
 * one run on this machine, not a test: test/cli/scaling.test.ts has the rules. `node scripts/record-ramp.mjs [FILE]`
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { root, say } from "./house.mjs";

/** The bounds of the run, as an operator writes them. */
const BOUNDS = ["minspare=1", "maxspare=2", "maxchildren=5"];
/** Clients at once, each for so long. */
const STEPS = [0, 1, 2, 3, 4, 5, 6, 4, 2, 1, 0, 0, 0, 0];
const STEP_MS = 3_000;
const LOOK_MS = 250;
/** A request computes for so long, so that one client keeps one worker busy. */
const REQUEST_MS = 15;

const APP = `module.exports = (req, res) => {
  const end = performance.now() + ${REQUEST_MS};
  while (performance.now() < end);
  res.end("done");
};`;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts the command; resolves when it serves. */
function start(folder) {
  const words = ["app.cjs", "socket=s", "daemonize=false", ...BOUNDS];
  const child = spawn(process.execPath, [join(root, "dist/cli.cjs"), ...words], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding("utf8").on("data", (text) => {
      if (/^postern \d/m.test(text)) resolve(child);
    });
    child.once("exit", (status) => reject(new Error(`postern ended with ${status}`)));
  });
}

/** Runs the ramp; what was seen at each look. */
async function record(folder, request) {
  const child = await start(folder);
  const workers = () =>
    readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").split(" ").length - 1;
  const seen = [];
  let wanted = 0;
  let failed = 0;
  let answered = 0;
  const client = async (index) => {
    while (index < wanted) {
      try {
        const address = { socket: join(folder, "s") };
        await (await request({ protocol: "fastcgi", address, url: "/" })).text();
        answered++;
      } catch {
        failed++;
      }
    }
  };
  const beginMs = performance.now();
  for (const clients of STEPS) {
    const before = wanted;
    wanted = clients;
    for (let index = before; index < clients; index++) void client(index);
    const endMs = performance.now() + STEP_MS;
    while (performance.now() < endMs) {
      seen.push({ ms: performance.now() - beginMs, clients, workers: workers() });
      await pause(LOOK_MS);
    }
  }
  child.removeAllListeners("exit");
  child.kill("SIGTERM");
  return { seen, failed, answered };
}

const WIDTH = 720;
const HEIGHT = 260;
const LEFT = 40;
const BOTTOM = 220;
const TOP = 40;

function draw({ seen, failed, answered }) {
  const lastMs = seen.at(-1).ms;
  const most = Math.max(...seen.map(({ clients, workers }) => Math.max(clients, workers)));
  const x = (ms) => (LEFT + ((WIDTH - LEFT - 20) * ms) / lastMs).toFixed(1);
  const y = (count) => (BOTTOM - ((BOTTOM - TOP) * count) / most).toFixed(1);
  const steps = (name) =>
    seen
      .map(({ ms, [name]: count }, index) =>
        index === 0 ? `M${x(ms)} ${y(count)}` : `H${x(ms)}V${y(count)}`,
      )
      .join("");
  const rows = Array.from({ length: most + 1 }, (_, count) => count);
  const seconds = Array.from({ length: Math.floor(lastMs / 6_000) + 1 }, (_, index) => index * 6);
  const title =
    `${BOUNDS.join(" ")}: ${answered} requests, ${failed} failed; node ${process.versions.node}, ` +
    `${cpus().length} cores`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="20" fill="#222">${title}</text>
${rows.map((count) => `<path d="M${LEFT} ${y(count)}H${WIDTH - 20}" stroke="#ddd"/><text x="${LEFT - 8}" y="${Number(y(count)) + 4}" text-anchor="end" fill="#555">${count}</text>`).join("\n")}
${seconds.map((second) => `<text x="${x(second * 1_000)}" y="${BOTTOM + 18}" text-anchor="middle" fill="#555">${second} s</text>`).join("\n")}
<path d="${steps("clients")}" fill="none" stroke="#999" stroke-width="1.5" stroke-dasharray="4 3"/>
<path d="${steps("workers")}" fill="none" stroke="#06c" stroke-width="2.5"/>
<text x="${WIDTH - 150}" y="${HEIGHT - 8}" fill="#06c">workers</text>
<text x="${WIDTH - 90}" y="${HEIGHT - 8}" fill="#777">clients (dashed)</text>
</svg>
`;
}

const folder = mkdtempSync(join(tmpdir(), "postern-ramp-"));
try {
  writeFileSync(join(folder, "app.cjs"), APP);
  const { request } = await import(join(root, "dist/client.mjs"));
  const run = await record(folder, request);
  const file = process.argv[2] ?? join(root, "docs/workers.svg");
  writeFileSync(file, draw(run));
  say(`${file}: ${run.answered} requests, ${run.failed} failed`);
} finally {
  rmSync(folder, { recursive: true });
}

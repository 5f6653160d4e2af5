/**
 * The showcase in a real browser: headless Chromium loads the page, runs its script and takes its picture.
 *
 * Proves what a person sees, over HTTP and through a real front server; what the page does is test/examples.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import showcase from "../../examples/showcase.mjs";
import { type NodeHandler, type Server, serve } from "../../src/index.ts";
import { BROWSER_FLAGS, findBrowser } from "../support/browser.ts";
import { wayOf } from "../support/engines.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, configurationObstacle, isStrict } from "../support/front/gateway.ts";

const chromium = findBrowser();
const missing = chromium === undefined && !isStrict;

/** The clock is an open response: the page never is "loaded", so it is looked at after this time. */
const LOOK_MS = 3_000;
/** Where everything is slow. */
const LATE_LOOK_MS = 20_000;
const CLOCK = "GET /?clock text/event-stream";

/** Runs Chromium on a page; what it printed. */
async function browse(
  folder: string,
  url: string,
  lookMs: number,
  ...words: string[]
): Promise<string> {
  if (chromium === undefined) throw new Error("chromium is not installed");
  const child = spawn(chromium, [
    ...BROWSER_FLAGS,
    "--window-size=1000,900",
    `--timeout=${lookMs}`,
    `--user-data-dir=${folder}/profile`,
    ...words,
    url,
  ]);
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  return text;
}

for (const configuration of CONFIGURATIONS) {
  describe.skipIf(missing)(
    `the showcase in a browser, ${configuration}${missing ? " (skipped: chromium is not installed)" : ""}`,
    { timeout: 120_000 },
    () => {
      const obstacle = configurationObstacle(configuration);
      let server: Server;
      let folder: string;
      let url: string;
      const asked: string[] = [];

      beforeAll(async () => {
        if (obstacle !== undefined) return;
        folder = mkdtempSync(join(tmpdir(), "postern-browser-"));
        const watched: NodeHandler = (req, res) => {
          asked.push(`${req.method} ${req.url} ${req.headers.accept}`);
          return showcase(req, res);
        };
        const options = { protocol: "auto", port: 0, ...wayOf(configuration) } as const;
        server = await serve(watched, options).ready();
        url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
      });

      afterAll(async () => {
        if (obstacle !== undefined) return;
        server.closeAllConnections();
        await server.shutdown();
        rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      });

      test("shows the request, and its script asks for the clock", async (context) => {
        unlessObstacle(context, obstacle);
        let page = await browse(folder, url, LOOK_MS, "--dump-dom");
        if (!asked.includes(CLOCK)) page = await browse(folder, url, LATE_LOOK_MS, "--dump-dom");
        expect(page).toContain('<strong id="protocol">HTTP</strong>');
        expect(page).toMatch(/type="file"/);
        expect(asked).toContain(CLOCK);
      });

      test("can be looked at", async (context) => {
        unlessObstacle(context, obstacle);
        const picture = join(folder, "page.png");
        await browse(folder, url, LOOK_MS, `--screenshot=${picture}`);
        const bytes = readFileSync(picture);
        expect(bytes.subarray(1, 4).toString()).toBe("PNG");
        expect(bytes.readUInt32BE(16)).toBe(1000);
        // An empty page of this size compresses to a few kilobytes.
        expect(bytes.length).toBeGreaterThan(20_000);
      });
    },
  );
}

/**
 * `npm run docs`, and its site in a real browser: the start page, the menu, the search, a page of the API, a chart.
 *
 * Takes minutes and an installation of its own, so it runs under the full flag; links between documents are checked always
 * (links.test.ts). `POSTERN_SAVE_PICTURE=1` keeps the picture as docs/site.png.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/behaviour.ts";
import { BrowserPage, findBrowser } from "../support/browser.ts";
import { projectRoot } from "../support/documents.ts";

const isFull = process.env["POSTERN_TEST_FULL"] === "1";
/** Why the site is not tried here. */
const obstacle = !isFull
  ? "the site is built under npm run test:full"
  : findBrowser() === undefined
    ? "chromium is not installed"
    : undefined;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".png": "image/png",
};
const site = join(projectRoot, "site/dist");
/** Paths that the browser asked for in vain. */
const missing: string[] = [];
let server: Server;
let base: string;

beforeAll(async () => {
  if (obstacle !== undefined) return;
  const child = spawn(process.execPath, ["scripts/docs.mjs"], { cwd: projectRoot });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const status = await new Promise((resolve) => child.once("close", resolve));
  expect({ status, said }).toMatchObject({ status: 0 });
  server = createServer((req, res) => {
    const path = decodeURIComponent(new URL(req.url!, "http://site").pathname);
    const name = path.endsWith("/") ? `${path}index.html` : path;
    const file = [name, `${name}.html`].map((each) => join(site, each)).find(existsSync);
    if (file === undefined) {
      missing.push(path);
      res.writeHead(404).end();
      return;
    }
    res.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
    res.end(readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}, 600_000);
afterAll(() => server?.close());

/** Looks at a page until an expression in it is true, then does more with it. */
async function look(
  path: string,
  expression: string,
  work: (page: BrowserPage) => Promise<void> = async () => {},
): Promise<void> {
  const page = await BrowserPage.open(base + path, 1200, 800);
  try {
    await until(async () => (await page.evaluate(expression)) === true);
    await work(page);
  } finally {
    await page.close();
  }
}

test("the start page leads to every page of its menu, and all are there", async (context) => {
  if (obstacle !== undefined) context.skip(obstacle);
  await look("/", "document.querySelectorAll('.VPFeature').length >= 6", async (page) => {
    const picture = await page.picture();
    expect(picture.length).toBeGreaterThan(10_000);
    if (process.env["POSTERN_SAVE_PICTURE"] === "1") {
      writeFileSync(join(projectRoot, "docs/site.png"), picture);
    }
  });
  const links = "[...document.querySelectorAll('.VPSidebar a, .VPNavBar a')].map((a) => a.href)";
  await look("/docs/get-started.html", `${links}.length > 20`, async (page) => {
    const paths = ((await page.evaluate(links)) as string[]).map((link) => new URL(link).pathname);
    const dead = [...new Set(paths)].filter(
      (path) => path !== "/" && !existsSync(join(site, path)),
    );
    expect(dead).toEqual([]);
  });
}, 120_000);

test("a deep link, a page of the API, a chart and the search work", async (context) => {
  if (obstacle !== undefined) context.skip(obstacle);
  const seen = "document.getElementById('taking-one-out')";
  await look("/docs/scale-out.html#taking-one-out", `${seen} !== null`);
  const text = "document.querySelector('.vp-doc')?.innerText";
  await look("/api/index/functions/serve.html", `${text}?.includes('ServeOptions') === true`);
  const charts = "[...document.querySelectorAll('.vp-doc img')]";
  await look("/docs/soak.html", `${charts}.some((image) => image.naturalWidth > 0)`);
  await look(
    "/docs/workers.html",
    "document.querySelector('.DocSearch-Button') !== null",
    async (page) => {
      // Before its script has run, the button hears nothing.
      const opened =
        "document.querySelector('.search-input') !== null || (document.querySelector('.DocSearch-Button').click(), false)";
      await until(async () => (await page.evaluate(opened)) === true);
      await page.evaluate(
        "{ const input = document.querySelector('.search-input'); input.value = 'httpoxy'; input.dispatchEvent(new Event('input', { bubbles: true })); }",
      );
      const found = "document.querySelectorAll('.VPLocalSearchBox .result').length > 0";
      await until(async () => (await page.evaluate(found)) === true);
    },
  );
  expect(missing.filter((path) => path !== "/favicon.ico")).toEqual([]);
}, 120_000);

/**
 * The status page in a real browser: headless Chromium runs its script, its numbers are those of the server and change, and
 * what a peer sent is text.
 *
 * Proves what a person sees; formats and counters are test/observe/metrics.test.ts. `POSTERN_SAVE_PICTURE=1` keeps the picture as
 * docs/status.png.
 */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NodeHandler } from "../../src/index.ts";
import { Latch, until } from "../support/behaviour.ts";
import { BrowserPage, findBrowser } from "../support/browser.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { CONFIGURATIONS, configurationObstacle, isStrict } from "../support/front/gateway.ts";
import { freePorts } from "../support/front/ports.ts";
import { ServerRoom } from "../support/server-room.ts";

const missing = findBrowser() === undefined && !isStrict;
/** A page that would run this had a title. */
const HOSTILE = "<script>document.title='owned'</script><img/src=x/onerror=document.title='owned'>";

let room: ServerRoom;
let page: BrowserPage | undefined;
beforeEach(() => {
  room = new ServerRoom();
});
afterEach(async () => {
  await page?.close();
  page = undefined;
  await room.clear();
});

const shown = (id: string): string => `document.getElementById("${id}").innerText`;
const chartValue = (title: string): string =>
  `[...document.querySelectorAll(".chart")].find((one) => one.firstChild.textContent === "${title}")?.querySelector("b").textContent`;

for (const configuration of CONFIGURATIONS) {
  describe.skipIf(missing)(
    `the status page in a browser, ${configuration}${missing ? " (skipped: chromium is not installed)" : ""}`,
    { timeout: 120_000 },
    () => {
      const obstacle = configurationObstacle(configuration);

      test("its numbers live, and a script in a path or a user is text (O-9)", async (context) => {
        unlessObstacle(context, obstacle);
        const latch = new Latch();
        const handler: NodeHandler = async (req, res) => {
          if (req.url?.startsWith("/hold") === true) await latch.opened;
          res.end("hi");
        };
        const [port = 0] = await freePorts(1);
        const status = `127.0.0.1:${port}`;
        const server = await room.open(configuration, "unix", handler, { status });
        const url = `http://${status}/`;
        await until(() => fetch(url).then(Boolean, () => false));
        page = await BrowserPage.open(url, 1000, 860);
        const see = (expression: string): Promise<unknown> => page!.evaluate(expression);
        await until(async () => (await see(chartValue("In flight"))) === "0", 60_000);

        const params = { REMOTE_USER: HOSTILE, AUTH_TYPE: "Basic" };
        const held = room.client(server).request({ url: `/hold/${HOSTILE}`, params });
        await until(async () => (await see(chartValue("In flight"))) === "1", 60_000);
        const running = String(await see(shown("running")));
        expect(running).toContain(`/hold/${HOSTILE}`);
        expect(running.split(HOSTILE)).toHaveLength(3);
        expect(await see("document.title")).toBe("postern status");
        expect(await see('document.querySelectorAll("#running script, #running img").length')).toBe(
          0,
        );

        const client = room.client(server);
        const rows = 'document.getElementById("workers").rows[1].cells[5].innerText';
        for (let i = 0; i < 2_000; i++) await (await client.request()).text();
        await until(async () => Number(String(await see(rows)).replace(",", "")) >= 2_000, 60_000);
        const points =
          'document.querySelector("polyline").getAttribute("points").split(" ").length';
        const before = Number(await see(points));
        await until(async () => Number(await see(points)) > before, 60_000);
        const picture = await page.picture();
        latch.open();
        expect(await (await held).text()).toBe("hi");
        await until(async () => (await see(chartValue("In flight"))) === "0", 60_000);

        expect(picture.subarray(1, 4).toString()).toBe("PNG");
        expect(picture.length).toBeGreaterThan(10_000);
        if (process.env["POSTERN_SAVE_PICTURE"] === "1") {
          writeFileSync(join(resolve(import.meta.dirname, "../.."), "docs/status.png"), picture);
        }
      });
    },
  );
}

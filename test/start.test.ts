/**
 * `npm start` as a newcomer sees it: what it prints, what it serves, how it ends, what it says to a mistake.
 *
 * Runs scripts/start.mjs as a process, on a port that the system chooses. Needs dist/ (`npm test` builds it first).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { request } from "../src/client/client.ts";

const root = resolve(import.meta.dirname, "..");
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill("SIGKILL");
});

/** Starts the script; `said` grows. */
function start(port: string): { said: () => string; ended: Promise<unknown[]> } {
  let text = "";
  const started = spawn(process.execPath, [join(root, "scripts/start.mjs")], {
    env: { ...process.env, PORT: port },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child = started;
  started.stdout.setEncoding("utf8").on("data", (chunk) => {
    text += chunk;
  });
  return { said: () => text, ended: once(started, "close") };
}

describe("npm start", { timeout: 120_000 }, () => {
  test("serves the showcase, has called it over each protocol, and ends on Ctrl-C", async () => {
    const { said, ended } = start("0");
    await expect.poll(said, { timeout: 90_000 }).toContain("Ctrl-C ends it.");
    const calls = said().match(/^ {2}(FastCGI|SCGI|AJP 1\.3) +200 OK +[\d.]+ ms .*$/gm) ?? [];
    expect(
      calls.map((line) => /came over (\w+), (?:native|typescript) engine$/.exec(line)?.[1]),
    ).toEqual(["fastcgi", "scgi", "ajp"]);

    const port = Number(/http:\/\/127\.0\.0\.1:(\d+)\//.exec(said())![1]);
    const page = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(page).toContain('<strong id="protocol">HTTP</strong>');

    // The printed secret is the one that lets Apache in, and without it nobody is.
    const secret = /secret=(\w{32,})/.exec(said())![1]!;
    const ajp = { protocol: "ajp", address: { port } } as const;
    expect((await request({ ...ajp, secret })).status).toBe(200);
    expect((await request(ajp)).status).toBe(403);

    // An open clock does not hold up the end.
    const clock = await fetch(`http://127.0.0.1:${port}/?clock`);
    expect(clock.status).toBe(200);
    child!.kill("SIGINT");
    expect(await ended).toEqual([0, null]);
    await clock.text().catch(() => undefined);
    expect(said()).toMatch(/Goodbye\.\n$/);
  });

  test("says in one sentence that the port is taken, and what to type instead", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as { port: number };
    const { said, ended } = start(String(port));
    expect(await ended).toEqual([1, null]);
    const other = port === 65_535 ? 8080 : port + 1;
    expect(said()).toBe(
      `Port ${port} is in use by another program; choose another one: PORT=${other} npm start\n`,
    );
    holder.close();
  });

  test.each(["http", "-1", "65536", "80 80"])("refuses PORT=%s in one sentence", async (port) => {
    const { said, ended } = start(port);
    expect(await ended).toEqual([1, null]);
    expect(said()).toBe(
      `PORT is "${port}"; give a number from 0 to 65535, as in PORT=8081 npm start.\n`,
    );
  });
});

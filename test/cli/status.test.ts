/**
 * `postern APP --workers N --status PATH`: the primary shows all its workers, also while each of them stands still.
 */
import { request as httpRequest } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import type { Status } from "../../src/observe/status.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";
import { askBy, makeProgram, type Program } from "./program.ts";

const APP = `
module.exports = (req, res) => {
  if (req.url === "/block") { const end = Date.now() + 4000; while (Date.now() < end); }
  if (req.url === "/fail") process.exit(3);
  res.end("hi");
};
`;

/** A GET by HTTP over a unix socket; resolves with the body. */
function ask(socketPath: string, path = "/"): Promise<string> {
  return new Promise((done, fail) => {
    const asked = httpRequest({ socketPath, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => done(text));
    });
    asked.on("error", fail).end();
  });
}

/** The status that a GET with that Host is answered with. */
function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((done, fail) => {
    const asked = httpRequest({ port, host: "127.0.0.1", headers: { host }, agent: false });
    asked.on("response", (response) => done(response.resume().statusCode));
    asked.on("error", fail).end();
  });
}

for (const { name, create } of CONFIGURATIONS) {
  describe.skipIf(create === undefined)(`the status of workers · ${name}`, () => {
    let program: Program;
    beforeAll(async () => {
      program = await makeProgram(name);
      writeFileSync(join(program.folder, "app.cjs"), APP);
    });
    afterAll(() => program.clear());

    test("all workers are counted, and shown while they stand still (B-99)", async () => {
      const socket = join(program.folder, "s");
      const status = join(program.folder, "status");
      const words = ["app.cjs", "--socket", socket, "--workers", "2", "--status", status];
      const running = program.start(words);
      await running.started;
      const read = async (): Promise<Status> => JSON.parse(await ask(status)) as Status;
      const where = { socketPath: socket, path: "/" };
      for (let i = 0; i < 10; i++) expect(await askBy("fastcgi", where)).toBe("hi");
      const name = 'postern_requests_total{protocol="fastcgi"}';
      await until(async () => (await read()).counters[name] === 10, 10_000);
      const shown = await read();
      expect(shown).toMatchObject({ method: "prefork", generation: 1, restarts: 0, queue: 0 });
      expect(shown.workers.map(({ state }) => state)).toEqual(["ready", "ready"]);
      expect(await ask(status, "/metrics")).toContain(
        'postern_worker_resident_memory_bytes{worker="2"} ',
      );

      // The second one is taken by whoever does not stand still yet.
      const still = async (): Promise<number> =>
        (await read()).workers.filter(({ silentMs }) => silentMs > 1_300).length;
      const blocked: Promise<string>[] = [];
      for (const count of [1, 2]) {
        blocked.push(askBy("fastcgi", { ...where, path: "/block" }));
        await until(async () => (await still()) === count, 10_000);
      }
      const beganMs = performance.now();
      const late = await read();
      expect(performance.now() - beganMs).toBeLessThan(1_000);
      expect(late.workers).toHaveLength(2);
      await Promise.all(blocked);
    });

    test("counts of workers that are gone stay, and reloads and restarts are counted", async () => {
      const socket = join(program.folder, "v");
      const status = join(program.folder, "vstatus");
      const words = ["app.cjs", "--socket", socket, "--workers", "2", "--status", status];
      const running = program.start(words);
      await running.started;
      const read = async (): Promise<Status> => JSON.parse(await ask(status)) as Status;
      const where = { socketPath: socket, path: "/" };
      for (let i = 0; i < 3; i++) expect(await askBy("fastcgi", where)).toBe("hi");
      const name = 'postern_requests_total{protocol="fastcgi"}';
      await until(async () => (await read()).counters[name] === 3, 10_000);
      running.child.kill("SIGHUP");
      await until(async () => (await read()).reloads === 1, 15_000);
      await until(async () => (await read()).workers.length === 2, 15_000);
      expect((await read()).counters[name]).toBe(3);
      await askBy("fastcgi", { ...where, path: "/fail" }).catch(() => undefined);
      await until(async () => (await read()).restarts === 1, 10_000);
    });

    test("a status address that is wrong ends the start with a sentence and status 2", async () => {
      const socket = join(program.folder, "t");
      const ended = await program.run(["app.cjs", "--socket", socket, "--status", "0.0.0.0:9"]);
      expect([ended.code, ended.stderr]).toEqual([
        2,
        expect.stringContaining("which other machines reach"),
      ]);
    });

    test.each(["1", "2"])(
      "%s workers: the start line says where the status is, and a name that somebody points at it gets none",
      async (workers) => {
        const socket = join(program.folder, `w${workers}`);
        const words = ["--socket", socket, "--workers", workers, "--status", "0"];
        const running = program.start(["app.cjs", ...words]);
        const port = Number(/Status on 127\.0\.0\.1:(\d+)\.$/.exec(await running.started)![1]);
        for (const host of ["127.0.0.1", `localhost:${port}`, `[::1]:${port}`, "192.0.2.1"]) {
          expect([host, await statusFor(port, host)]).toEqual([host, 200]);
        }
        for (const host of ["status.example", `rebound.example:${port}`, "127.0.0.1.example"]) {
          expect([host, await statusFor(port, host)]).toEqual([host, 421]);
        }
        running.child.kill("SIGTERM");
        expect((await running.ended).code).toBe(0);
      },
    );

    test("by statusPath a worker says which of them it is, and of what service", async () => {
      const socket = join(program.folder, "x");
      const words = ["--socket", socket, "--workers", "2", "--status-path", "/st"];
      // Threads need the addon.
      const method = name === "typescript" ? "prefork" : "threaded";
      const running = program.start(["app.cjs", ...words, "--method", method]);
      await running.started;
      const params = { REMOTE_ADDR: "127.0.0.1" };
      const asked = { protocol: "fastcgi", address: { socket }, url: "/st", params } as const;
      const shown = JSON.parse(await (await request(asked)).text()) as Status;
      expect(shown).toMatchObject({ method, address: `unix:${socket}`, generation: 1 });
      expect([1, 2]).toContain(shown.workers[0]!.id);
      running.child.kill("SIGTERM");
      expect((await running.ended).code).toBe(0);
    });

    test("one process alone shows itself", async () => {
      const socket = join(program.folder, "u");
      const status = join(program.folder, "ustatus");
      const running = program.start(["app.cjs", "--socket", socket, "--status", status]);
      await running.started;
      expect(await askBy("fastcgi", { socketPath: socket, path: "/" })).toBe("hi");
      await until(() => ask(status).then(Boolean, () => false));
      const { method, workers, pid } = JSON.parse(await ask(status)) as Status;
      expect([method, workers.length, pid]).toEqual(["single", 1, running.child.pid]);
    });
  });
}

/**
 * What a supervisor hears (sd_notify(3)), and a start on sockets that it passes (sd_listen_fds(3)).
 *
 * The supervisor is a small program of Python's, since node has no datagrams over unix sockets: it is what systemd is to
 * postern, and no more. The unit file of docs/systemd.md is checked by systemd's own verifier.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { until } from "../support/behaviour.ts";
import { type Configuration, CONFIGURATIONS } from "../support/engines.ts";
import { command, endPrimary, isAlive, statusOf } from "./primaries.ts";
import { makeProgram, type Program } from "./program.ts";

const root = resolve(import.meta.dirname, "../..");
const isThere = (program: string, ...words: string[]): boolean =>
  spawnSync(program, words).error === undefined;
const python = isThere("python3", "--version");
const APP =
  'require("./version.cjs"); module.exports = (req, res) => res.end(String(process.ppid));';

/** Binds a datagram socket and prints what comes, a line a datagram. */
const LISTENER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\\0" + sys.argv[1][1:] if sys.argv[1][0] == "@" else sys.argv[1])
print("bound", flush=True)
while True:
    print(json.dumps(s.recv(65536).decode()), flush=True)
`;

/** Passes a listening unix socket as descriptor 3, as systemd does, and becomes the program. */
const PASSER = `
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1])
s.listen(64)
if s.fileno() != 3:
    os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="web", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
`;

const running = CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name);
// Without the addon systemd-notify says it.
const cells = running.filter(
  (name) => name !== "typescript" || isThere("systemd-notify", "--version"),
);

describe.skipIf(!python)(`a supervisor${python ? "" : " (skipped: no python3)"}`, () => {
  describe.each(cells)("%s", (configuration: Configuration) => {
    let program: Program;
    let control: string;
    let told: string[];
    let ear: ReturnType<typeof spawn>;
    const at = (name: string): string => join(program.folder, name);
    const listen = async (where: string): Promise<void> => {
      told = [];
      ear = spawn("python3", ["-c", LISTENER, where]);
      let text = "";
      let isBound = false;
      ear.stdout!.setEncoding("utf8").on("data", (part: string) => {
        text += part;
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) {
          if (line === "bound") isBound = true;
          else told.push(JSON.parse(line) as string);
        }
      });
      await until(() => isBound, 10_000);
    };
    const heard = (...parts: string[]): Promise<void> =>
      until(
        () => told.some((one) => parts.every((part) => one.split("\n").includes(part))),
        20_000,
      );

    beforeAll(async () => {
      program = await makeProgram(configuration);
      control = at("s.control");
      writeFileSync(at("app.cjs"), APP);
      writeFileSync(at("version.cjs"), "");
    });
    afterEach(async () => {
      await endPrimary(program);
      ear.kill("SIGKILL");
      rmSync(at("notify"), { force: true });
    });
    afterAll(() => program.clear());

    test("hears READY, RELOADING, the new MAINPID of an upgrade, and STOPPING", async () => {
      await listen(at("notify"));
      const env = { NOTIFY_SOCKET: at("notify"), WATCHDOG_USEC: "400000" };
      const started = program.start(["app.cjs", "--socket", "s", "--workers", "2"], {
        env,
        longestMs: 60_000,
      });
      await started.started;
      const first = started.child.pid!;
      await heard("READY=1", `MAINPID=${first}`);
      expect(told.find((one) => one.startsWith("READY"))).toMatch(/^STATUS=2 workers on unix:/m);
      await heard("WATCHDOG=1");
      told.length = 0;
      await command(control, { verb: "reload" });
      await heard("READY=1");
      const reloading = told.findIndex((one) => /^RELOADING=1\nMONOTONIC_USEC=\d+$/m.test(one));
      expect(reloading).toBeGreaterThanOrEqual(0);
      expect(told.findIndex((one) => one.startsWith("READY=1"))).toBeGreaterThan(reloading);
      told.length = 0;
      const { pid } = await command(control, { verb: "upgrade" });
      await heard("RELOADING=1");
      await heard("READY=1", `MAINPID=${pid}`);
      await until(() => !isAlive(first), 20_000);
      // The watchdog's sign of life comes from the new one now, whatever WATCHDOG_PID was.
      told.length = 0;
      await heard("WATCHDOG=1");
      await command(control, { verb: "stop" });
      await heard("STOPPING=1");
    }, 60_000);

    test("hears of one process alone as well, at an abstract address", async () => {
      const name = `@postern-${process.pid}-${configuration.replace(" ", "-")}`;
      await listen(name);
      const started = program.start(["app.cjs", "--socket", "s"], { env: { NOTIFY_SOCKET: name } });
      await started.started;
      await heard("READY=1", `MAINPID=${started.child.pid}`);
      started.child.kill("SIGTERM");
      await heard("STOPPING=1");
      expect((await started.ended).code).toBe(0);
    });

    test("passes a listening socket to workers, through an upgrade as well (LISTEN_FDS)", async () => {
      await listen(at("notify"));
      const python = String(execFileSync("which", ["python3"])).trim();
      const words = ["app.cjs", "--fd", "systemd:web", "--workers", "2", "--control", "s.control"];
      const started = program.start(words, {
        longestMs: 60_000,
        env: { PASSER, SOCKET: at("passed") },
        shell: `exec ${python} -c "$PASSER" "$SOCKET" "$@"`,
      });
      expect(await started.started).toContain("on fd 3 (systemd web)");
      const ask = async (): Promise<string> =>
        (await request({ protocol: "fastcgi", address: { socket: at("passed") } })).text();
      expect(await ask()).toBe(String(started.child.pid));
      const { pid } = await command(control, { verb: "upgrade" });
      await until(async () => (await ask()) === String(pid), 20_000);
      expect((await statusOf(control)).address).toBe("fd 3 (systemd web)");
      await endPrimary(program);
      rmSync(at("passed"));
    }, 60_000);
  });
});

const verifier = isThere("systemd-analyze", "--version");
test.skipIf(!verifier)(
  `systemd finds no fault in the unit files of docs/systemd.md${verifier ? "" : " (skipped: no systemd-analyze)"}`,
  () => {
    const text = readFileSync(join(root, "docs/systemd.md"), "utf8");
    const units = [...text.matchAll(/^```text\n# (\S+\.(?:service|socket))\n([\s\S]*?)^```$/gm)];
    expect(units.map(([, name]) => name)).toEqual(["app.service", "app.socket"]);
    const folder = mkdtempSync(join(tmpdir(), "postern-unit-"));
    try {
      mkdirSync(join(folder, "units"));
      for (const [, name, unit] of units) {
        // The verifier looks for the programs and the user of this machine.
        const here = unit!
          .replaceAll("/usr/bin/postern", "/bin/true")
          .replaceAll(/^(User|Group)=.*$/gm, "$1=daemon");
        writeFileSync(join(folder, "units", name!), here);
      }
      const files = units.map(([, name]) => join(folder, "units", name!));
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...files], {
        encoding: "utf8",
      });
      expect(stderr.split("\n").filter((line) => line.includes("/units/"))).toEqual([]);
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

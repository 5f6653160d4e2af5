/**
 * The restart script of runfcgi's page, in its shape: kill, remove the pid file, start anew in an empty environment (T9, T10).
 *
 * Old and new overlap, and neither may take what is the other's. Under load by unix socket and by port, in every
 * configuration. Who finds nobody listening may ask again; at a port the system also turns away those that nobody has
 * accepted when the last listener closes, so there it is shown that no request fails which a handler saw.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { ClientError } from "../../src/errors.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS, wayOf } from "../support/engines.ts";
import { isFull } from "../support/front/gateway.ts";
import { type DaemonRoom, isAlive, makeDaemonRoom, sessionOf } from "./daemons.ts";

/** Restarts of each: the full test has the acceptance's number. */
const RESTARTS = isFull ? 20 : 2;

const SCRIPT = `#!/bin/sh
# set these three for your site
APPDIR="\${0%/*}"
PIDFILE="$APPDIR/shop.pid"
ADDRESS="$1"
shift

cd "$APPDIR" || exit 1
if [ -f "$PIDFILE" ]; then
  kill "$(cat -- "$PIDFILE")"
  rm -f -- "$PIDFILE"
fi

exec /usr/bin/env - NODE_PATH="../lib:.." $WAY \\
  "$@" ./app.cjs $ADDRESS pidfile="$PIDFILE" workers=2
`;

/** A port that nobody has. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as { port: number };
  await new Promise((done) => server.close(done));
  return port;
}

interface Load {
  answered: number;
  refused: number;
  /** Requests that failed otherwise: their number, and how. */
  readonly failures: Map<number, string>;
  readonly stop: () => Promise<void>;
}

/** Asks without end; who finds nobody listening asks again. */
function load(address: { socket: string } | { port: number }): Load {
  let stopped = false;
  let last = 0;
  const ask = async (): Promise<void> => {
    while (!stopped) {
      const number = ++last;
      try {
        const body = Buffer.from("x".repeat(2_000));
        const response = await request({
          protocol: "fastcgi",
          address,
          url: `/out/${number}`,
          method: "POST",
          body,
        });
        await response.text();
        if (response.status === 200) result.answered++;
        else result.failures.set(number, `status ${response.status}`);
      } catch (error) {
        if (error instanceof ClientError && error.code === "ERR_CLIENT_CONNECT") result.refused++;
        else result.failures.set(number, String(error));
      }
      await sleep(5);
    }
  };
  const running = [ask(), ask(), ask()];
  const result: Load = {
    answered: 0,
    refused: 0,
    failures: new Map(),
    async stop(): Promise<void> {
      stopped = true;
      await Promise.all(running);
    },
  };
  return result;
}

describe.each(CONFIGURATIONS.filter(({ create }) => create !== undefined).map(({ name }) => name))(
  "%s",
  (configuration) => {
    let room: DaemonRoom;
    const old: number[] = [];
    beforeAll(async () => {
      room = await makeDaemonRoom(configuration);
      writeFileSync(room.path("restart.sh"), SCRIPT);
      chmodSync(room.path("restart.sh"), 0o755);
    });
    afterEach(async () => {
      if (existsSync(room.path("shop.pid"))) await room.stop("shop.pid");
    });
    afterAll(async () => {
      for (const pid of old) for (const one of sessionOf(pid)) process.kill(one, "SIGKILL");
      await room.clear();
    });

    /** Runs the script; returns the id of the process that serves now. */
    async function restart(address: string): Promise<number> {
      const { engine, transport } = wayOf(configuration);
      const native = configuration === "typescript" ? "" : `POSTERN_TRANSPORT=${transport}`;
      const { code, stderr } = await room.program.run([], {
        env: { WAY: `POSTERN_ENGINE=${engine} ${native}` },
        shell: `exec "${room.path("restart.sh")}" "${address}" "$@"`,
      });
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("(prefork)") });
      const pid = room.pidIn("shop.pid");
      old.push(pid);
      return pid;
    }

    test.each(["unix socket", "host and port"])(
      `${RESTARTS} restarts by %s lose no request that was taken, no file, and leave no process`,
      async (kind) => {
        const port = await freePort();
        const isUnix = kind === "unix socket";
        const where = isUnix ? `socket=${room.path("shop.sock")}` : `host=127.0.0.1 port=${port}`;
        const words = `${where} outlog=${isUnix ? "unix.log" : "port.log"}`;
        const pids = [await restart(words)];
        const running = load(isUnix ? { socket: room.path("shop.sock") } : { port });
        for (let restarts = 0; restarts < RESTARTS; restarts++) {
          const before = running.answered;
          await until(() => running.answered > before + 5, 20_000);
          pids.push(await restart(words));
        }
        const last = pids.at(-1)!;
        await until(() => pids.every((pid) => pid === last || sessionOf(pid).length === 0), 20_000);
        // The old ones are gone, and took nothing of the new one with them.
        expect(readFileSync(room.path("shop.pid"), "latin1")).toBe(`${last}\n`);
        expect(new Set(pids).size).toBe(RESTARTS + 1);
        const before = running.answered;
        await until(() => running.answered > before + 5, 20_000);
        expect(isAlive(last)).toBe(true);
        await running.stop();
        if (isUnix) expect([...running.failures]).toEqual([]);
        await room.stop("shop.pid");
        const seen = readFileSync(room.path(isUnix ? "unix.log" : "port.log"), "utf8").split("\n");
        const numbers = seen.filter((line) => /^\d+$/.test(line)).map(Number);
        expect([...running.failures].filter(([number]) => numbers.includes(number))).toEqual([]);
        // Each line of each worker of each instance is there, once.
        expect(new Set(numbers).size).toBe(running.answered);
        expect(numbers).toHaveLength(running.answered);
      },
      isFull ? 180_000 : 60_000,
    );
  },
);

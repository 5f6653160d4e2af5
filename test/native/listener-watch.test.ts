/**
 * The addon's watch on a listening socket: one call when somebody waits, nobody accepted, and no hold on the process once it
 * is closed.
 */
import { spawnSync, type StdioOptions } from "node:child_process";
import { connect } from "node:net";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { loadAddon } from "../../src/engine/native.ts";
import { holdListener, type HeldListener } from "../../src/server/held-listener.ts";
import { normalizeOptions } from "../../src/serve/options.ts";
import { testAddonPaths } from "../support/addon.ts";
import { pause, until } from "../support/behaviour.ts";

const { addon, reason } = { reason: "", ...loadAddon(testAddonPaths()) };
const watchListener = addon?.watchListener;

describe.runIf(watchListener !== undefined)(`watchListener ${reason}`, () => {
  let folder: string;
  let held: HeldListener;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "postern-watch-"));
    held = await holdListener(normalizeOptions({ socket: join(folder, "s") }, {}), {});
    // As a worker: it makes the socket a listening one, and is gone.
    const worker = 'require("node:net").createServer().listen({ fd: 3 }, () => process.exit(0))';
    const stdio: StdioOptions = ["ignore", "ignore", "ignore", held.fd];
    expect(spawnSync(process.execPath, ["-e", worker], { stdio }).status).toBe(0);
    held.place();
  });
  afterEach(() => {
    held.close();
    rmSync(folder, { recursive: true });
  });

  test("throws for anything but a descriptor and a function", () => {
    expect(() => watchListener!("3" as never, () => undefined)).toThrow(TypeError);
    expect(() => watchListener!(held.fd, undefined as never)).toThrow(TypeError);
    expect(() => watchListener!(1_000_000, () => undefined)).toThrow("cannot be watched");
  });

  test("calls nobody while nobody waits, and not after it was closed", async () => {
    let calls = 0;
    const close = watchListener!(held.fd, () => calls++);
    await pause(20);
    close();
    close();
    const socket = connect(join(folder, "s"));
    await once(socket, "connect");
    await pause(20);
    socket.destroy();
    expect(calls).toBe(0);
  });

  test("calls once for whoever waits, and again when asked again", async () => {
    let calls = 0;
    watchListener!(held.fd, () => calls++);
    const socket = connect(join(folder, "s"));
    await until(() => calls === 1);
    // It waits still, and nobody is told of it until somebody asks.
    await pause(20);
    expect(calls).toBe(1);
    watchListener!(held.fd, () => calls++);
    await until(() => calls === 2);
    socket.destroy();
  });
});

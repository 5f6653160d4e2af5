/**
 * A unix socket file from its first moment to its last: mode, owner, removal (reliability O-1 to O-4).
 * The path is free here; what may stand there before is in socket-path.test.ts.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pathBinder } from "../../src/server/binding.ts";
import { openSocketFile } from "../../src/server/socket-file.ts";
import { ask, modeOf, refusal, socketFolder, uid, unixSettings } from "./socket-folder.ts";

const folder = socketFolder();

describe("a free path", () => {
  test("gets a socket with mode 660 whatever the umask, and no other file beside it", async () => {
    for (const mask of [0, 0o022, 0o077]) {
      const former = process.umask(mask);
      try {
        const path = folder.at(`x${mask}`);
        await folder.open(path);
        expect(modeOf(path)).toBe(0o660);
        expect(await ask(path)).toBe("here");
        expect(process.umask()).toBe(mask);
      } finally {
        process.umask(former);
      }
    }
    expect(folder.names()).toEqual(["x0", "x18", "x63"]);
  });

  test.each([0o600, 0o666, 0o775, 0o777, 0o400])("gets mode %o when asked", async (mode) => {
    await folder.open(folder.at("x"), { mode });
    expect(modeOf(folder.at("x"))).toBe(mode);
  });

  test("is there, whole, before listening is told", async () => {
    const path = folder.at("x");
    const server = folder.newServer();
    const seen = new Promise<[number, Promise<string>]>((done) =>
      server.on("listening", () => done([modeOf(path), ask(path)])),
    );
    const settings = unixSettings(path, { mode: 0o640 });
    await openSocketFile(pathBinder(server, 16), settings, folder.facts());
    const [mode, answer] = await seen;
    expect(mode).toBe(0o640);
    expect(await answer).toBe("here");
  });

  test("is never open wider than its mode, at no name (O-1)", async () => {
    const modes: number[] = [];
    const watched = folder.facts({
      setUmask(mask) {
        for (const name of folder.names()) modes.push(modeOf(folder.at(name)));
        return process.umask(mask);
      },
    });
    const settings = unixSettings(folder.at("x"));
    await openSocketFile(pathBinder(folder.newServer(), 16), settings, watched);
    // Seen when the umask is put back: bound and settled.
    expect(modes).toEqual([0o660]);
  });
});

describe("owner and group", () => {
  test("are given before anybody can connect, which takes root", async () => {
    const path = folder.at("x");
    const opened = folder.open(path, { owner: 4242, group: 4343 });
    if (uid === 0) {
      await opened;
      expect(fs.lstatSync(path)).toMatchObject({ uid: 4242, gid: 4343 });
      expect(modeOf(path)).toBe(0o660);
    } else {
      expect((await refusal(opened)).message).toContain(
        "cannot be given to owner and group as asked",
      );
      expect(folder.names()).toEqual([]);
    }
  });

  test("may be names", async () => {
    const [user = "", , id] = fs.readFileSync("/etc/passwd", "utf8").split("\n")[0]!.split(":");
    if (uid === Number(id)) {
      await folder.open(folder.at("x"), { owner: user });
      expect(fs.lstatSync(folder.at("x")).uid).toBe(Number(id));
    } else {
      expect((await refusal(folder.open(folder.at("x"), { owner: user }))).message).toContain(
        "EPERM",
      );
    }
  });

  test.each([
    [{ owner: "no-such-user" }, 'owner is "no-such-user"'],
    [{ group: "no-such-group" }, 'group is "no-such-group"'],
    [{ owner: "--help" }, 'owner is "--help"'],
  ])("that nobody knows are refused: %j", async (settings, sentence) => {
    expect((await refusal(folder.open(folder.at("x"), settings))).message).toContain(sentence);
    expect(folder.names()).toEqual([]);
  });
});

describe("removal (O-2)", () => {
  test("takes our file away", async () => {
    const file = await folder.open(folder.at("x"));
    file.remove();
    expect(folder.names()).toEqual([]);
    file.remove();
  });

  test("leaves what has taken its place", async () => {
    const path = folder.at("x");
    const old = await folder.open(path);
    fs.unlinkSync(path);
    await folder.open(path);
    old.remove();
    old.server.close();
    expect(await ask(path)).toBe("here");
  });

  test("closing the server alone removes no name but its own temporary one", async () => {
    const path = folder.at("x");
    const { server } = await folder.open(path);
    await new Promise((done) => server.close(done));
    expect(folder.names()).toEqual(["x"]);
  });

  test("does not throw when the folder is gone", async () => {
    const inner = folder.at("inner");
    fs.mkdirSync(inner);
    const file = await folder.open(join(inner, "x"));
    fs.rmSync(inner, { recursive: true });
    file.remove();
  });
});

describe("in a worker thread, where the umask cannot be set", () => {
  test("a umask that is strict enough does", async () => {
    const former = process.umask(0o022);
    try {
      await folder.open(folder.at("x"), {}, { setUmask: undefined });
    } finally {
      process.umask(former);
    }
    expect(modeOf(folder.at("x"))).toBe(0o660);
  });

  test("any other is refused by its reason", async () => {
    const error = await refusal(
      folder.open(folder.at("x"), {}, { setUmask: undefined, umask: () => 0 }),
    );
    expect(error.message).toMatch(/mode 660 in a worker thread/);
    expect(folder.names()).toEqual([]);
  });
});

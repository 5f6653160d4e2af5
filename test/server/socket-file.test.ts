/**
 * A unix socket file from its first moment to its last: mode, owner, who may take whose place (reliability O-1 to O-4).
 * Everything happens in a folder of its own; nothing that is not our dead socket may vanish from it.
 */
import * as fs from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import type { UnixSettings } from "../../src/server/settings.ts";
import {
  ERR_SOCKET_LIVE,
  openSocketFile,
  type ProcessFacts,
  type SocketFile,
} from "../../src/server/socket-file.ts";

const uid = process.geteuid!();
const servers: Server[] = [];
let folder = "";
let warnings: string[] = [];

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), "postern-"));
  warnings = [];
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  fs.rmSync(folder, { recursive: true });
});

const facts = (changes: Partial<ProcessFacts> = {}): ProcessFacts => ({
  uid,
  setUmask: (mask) => process.umask(mask),
  umask: () => process.umask(),
  warn: (sentence) => warnings.push(sentence),
  ...changes,
});

function newServer(): Server {
  const server = createServer((socket) => socket.on("error", () => {}).end("here"));
  servers.push(server);
  return server;
}

/** Opens a socket file with the server that it is for. */
async function open(
  path: string,
  settings: Partial<UnixSettings> = {},
  changes: Partial<ProcessFacts> = {},
): Promise<SocketFile & { readonly server: Server }> {
  const server = newServer();
  const whole = {
    kind: "unix",
    path,
    mode: 0o660,
    owner: undefined,
    group: undefined,
    ...settings,
  } as const;
  const file = await openSocketFile(server, whole, 16, facts(changes));
  return { ...file, server };
}

/** The refusal, one sentence. */
async function refusal(opened: Promise<unknown>): Promise<UsageError> {
  const error = await opened.then(
    () => new Error("it was opened"),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect((error as UsageError).message).toMatch(/^[^\n]+\.$/);
  return error as UsageError;
}

/** What the server at a path says; the system's code when nobody answers. */
function ask(path: string): Promise<string> {
  return new Promise((done) => {
    let text = "";
    connect({ path })
      .on("data", (bytes) => (text += bytes.toString()))
      .on("end", () => done(text))
      .on("error", (error: NodeJS.ErrnoException) => done(error.code ?? ""));
  });
}

/** A socket file on which nobody listens any more. */
async function makeDead(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(`${path}-`, done));
  fs.renameSync(`${path}-`, path);
  await new Promise((done) => server.close(done));
  expect(await ask(path)).toBe("ECONNREFUSED");
}

const modeOf = (path: string): number => fs.lstatSync(path).mode & 0o7777;

describe("a free path", () => {
  test("gets a socket with mode 660 whatever the umask, and no other file beside it", async () => {
    for (const mask of [0, 0o022, 0o077]) {
      const former = process.umask(mask);
      try {
        const path = join(folder, `x${mask}`);
        await open(path);
        expect(modeOf(path)).toBe(0o660);
        expect(await ask(path)).toBe("here");
        expect(process.umask()).toBe(mask);
      } finally {
        process.umask(former);
      }
    }
    expect(fs.readdirSync(folder).sort()).toEqual(["x0", "x18", "x63"]);
  });

  test.each([0o600, 0o666, 0o775, 0o777, 0o400])("gets mode %o when asked", async (mode) => {
    await open(join(folder, "x"), { mode });
    expect(modeOf(join(folder, "x"))).toBe(mode);
  });

  test("is there, whole, before listening is told", async () => {
    const path = join(folder, "x");
    const server = newServer();
    const seen = new Promise<[number, Promise<string>]>((done) =>
      server.on("listening", () => done([modeOf(path), ask(path)])),
    );
    const settings = {
      kind: "unix",
      path,
      mode: 0o640,
      owner: undefined,
      group: undefined,
    } as const;
    await openSocketFile(server, settings, 16, facts());
    const [mode, answer] = await seen;
    expect(mode).toBe(0o640);
    expect(await answer).toBe("here");
  });

  test("is never open wider than its mode, at no name", async () => {
    const modes: number[] = [];
    const watched = facts({
      setUmask(mask) {
        for (const name of fs.readdirSync(folder)) modes.push(modeOf(join(folder, name)));
        return process.umask(mask);
      },
    });
    const settings = {
      kind: "unix",
      path: join(folder, "x"),
      mode: 0o660,
      owner: undefined,
      group: undefined,
    } as const;
    await openSocketFile(newServer(), settings, 16, watched);
    // Seen when the umask is put back: bound and settled.
    expect(modes).toEqual([0o660]);
  });
});

describe("what stands at the path", () => {
  test("a regular file stays as it is", async () => {
    const path = join(folder, "x");
    fs.writeFileSync(path, "precious");
    expect((await refusal(open(path))).message).toMatch(
      /a file stands and no socket; choose another/,
    );
    expect(fs.readFileSync(path, "utf8")).toBe("precious");
    expect(fs.readdirSync(folder)).toEqual(["x"]);
  });

  test("a folder stays", async () => {
    const path = join(folder, "x");
    fs.mkdirSync(path);
    expect((await refusal(open(path))).message).toContain("a folder stands");
    expect(fs.statSync(path).isDirectory()).toBe(true);
  });

  test.each(["nowhere", "dead", "live"])("a symlink to a %s socket stays", async (target) => {
    const path = join(folder, "x");
    if (target === "dead") await makeDead(join(folder, target));
    if (target === "live") await open(join(folder, target));
    fs.symlinkSync(target, path);
    expect((await refusal(open(path))).message).toContain("a symlink stands");
    expect(fs.readlinkSync(path)).toBe(target);
  });

  test("a fifo stays", async () => {
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [join(folder, "x")]);
    expect((await refusal(open(join(folder, "x")))).message).toContain("no socket");
    expect(fs.lstatSync(join(folder, "x")).isFIFO()).toBe(true);
  });

  test("a living instance stays and answers (ERR_SOCKET_LIVE)", async () => {
    const path = join(folder, "x");
    await open(path);
    const error = await refusal(open(path));
    expect(error.code).toBe(ERR_SOCKET_LIVE);
    expect(error.message).toContain("another instance is listening");
    expect(await ask(path)).toBe("here");
    expect(fs.readdirSync(folder)).toEqual(["x"]);
  });

  test("a dead socket of ours is replaced", async () => {
    const path = join(folder, "x");
    await makeDead(path);
    await open(path);
    expect(await ask(path)).toBe("here");
    expect(fs.readdirSync(folder)).toEqual(["x"]);
  });

  test("a dead socket of somebody else stays, but not before root", async () => {
    const path = join(folder, "x");
    await makeDead(path);
    const owner = uid === 0 ? 4242 : uid;
    if (uid === 0) fs.chownSync(path, owner, owner);
    const error = await refusal(open(path, {}, { uid: 4343 }));
    expect(error.message).toContain(`a dead socket of user ${owner} stands`);
    expect(fs.lstatSync(path).isSocket()).toBe(true);
    await open(path, {}, { uid: 0 });
    expect(await ask(path)).toBe("here");
  });

  test("of many that start at once, over nothing or over a dead socket, one wins and answers", async () => {
    for (const dead of [false, true]) {
      const path = join(folder, `x${dead}`);
      if (dead) await makeDead(path);
      const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => open(path)));
      const lost = outcomes.filter((outcome) => outcome.status === "rejected");
      expect(lost).toHaveLength(5);
      for (const { reason } of lost) expect((reason as UsageError).code).toBe(ERR_SOCKET_LIVE);
      expect(await ask(path)).toBe("here");
    }
    expect(fs.readdirSync(folder).sort()).toEqual(["xfalse", "xtrue"]);
  });
});

describe("paths and folders", () => {
  test("107 bytes fit, 108 are refused and nothing is made", async () => {
    const fits = join(folder, "y".repeat(107 - folder.length - 1));
    await open(fits);
    expect(await ask(fits)).toBe("here");
    const error = await refusal(open(`${fits}y`));
    expect(error.message).toMatch(/a path of 108 bytes.*the system allows 107/);
    expect(fs.readdirSync(folder)).toHaveLength(1);
  });

  test("bytes are counted, not characters", async () => {
    const path = join(folder, "ü".repeat(50));
    expect((await refusal(open(path))).message).toContain(
      `a path of ${Buffer.byteLength(path)} bytes`,
    );
  });

  test("a short name in a folder so long that the temporary name does not fit is refused", async () => {
    const deep = join(folder, "d".repeat(107 - folder.length - 1 - 4));
    fs.mkdirSync(deep);
    expect((await refusal(open(join(deep, "x")))).message).toContain(
      "with the temporary name beside it",
    );
  });

  test("an abstract name is refused, since it carries no permissions (O-4)", async () => {
    expect((await refusal(open("\0postern"))).message).toContain("abstract sockets");
  });

  test("a folder that is missing or no folder is named", async () => {
    expect((await refusal(open(join(folder, "no", "x")))).message).toContain(
      `folder ${JSON.stringify(join(folder, "no"))} does not exist`,
    );
    fs.writeFileSync(join(folder, "file"), "");
    expect((await refusal(open(join(folder, "file", "x")))).message).toContain("is not a folder");
  });

  test("a folder in which everybody may write is warned of, unless it is sticky", async () => {
    fs.chmodSync(folder, 0o1777);
    await open(join(folder, "a"));
    expect(warnings).toEqual([]);
    fs.chmodSync(folder, 0o777);
    await open(join(folder, "b"));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(JSON.stringify(folder));
  });
});

describe("owner and group", () => {
  test("are given before anybody can connect, which takes root", async () => {
    const path = join(folder, "x");
    const opened = open(path, { owner: 4242, group: 4343 });
    if (uid === 0) {
      await opened;
      expect(fs.lstatSync(path)).toMatchObject({ uid: 4242, gid: 4343 });
      expect(modeOf(path)).toBe(0o660);
    } else {
      expect((await refusal(opened)).message).toContain(
        "cannot be given to owner and group as asked",
      );
      expect(fs.readdirSync(folder)).toEqual([]);
    }
  });

  test("may be names", async () => {
    const [user = "", , id] = fs.readFileSync("/etc/passwd", "utf8").split("\n")[0]!.split(":");
    if (uid === Number(id)) {
      await open(join(folder, "x"), { owner: user });
      expect(fs.lstatSync(join(folder, "x")).uid).toBe(Number(id));
    } else {
      expect((await refusal(open(join(folder, "x"), { owner: user }))).message).toContain("EPERM");
    }
  });

  test.each([
    [{ owner: "no-such-user" }, 'owner is "no-such-user"'],
    [{ group: "no-such-group" }, 'group is "no-such-group"'],
    [{ owner: "--help" }, 'owner is "--help"'],
  ])("that nobody knows are refused: %j", async (settings, sentence) => {
    expect((await refusal(open(join(folder, "x"), settings))).message).toContain(sentence);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

describe("removal", () => {
  test("takes our file away", async () => {
    const file = await open(join(folder, "x"));
    file.remove();
    expect(fs.readdirSync(folder)).toEqual([]);
    file.remove();
  });

  test("leaves what has taken its place", async () => {
    const path = join(folder, "x");
    const old = await open(path);
    fs.unlinkSync(path);
    await open(path);
    old.remove();
    old.server.close();
    expect(await ask(path)).toBe("here");
  });

  test("closing the server alone removes no name but its own temporary one", async () => {
    const path = join(folder, "x");
    const { server } = await open(path);
    await new Promise((done) => server.close(done));
    expect(fs.readdirSync(folder)).toEqual(["x"]);
  });

  test("does not throw when the folder is gone", async () => {
    const inner = join(folder, "inner");
    fs.mkdirSync(inner);
    const file = await open(join(inner, "x"));
    fs.rmSync(inner, { recursive: true });
    file.remove();
  });
});

describe("in a worker thread, where the umask cannot be set", () => {
  test("a umask that is strict enough does", async () => {
    const former = process.umask(0o022);
    try {
      await open(join(folder, "x"), {}, { setUmask: undefined });
    } finally {
      process.umask(former);
    }
    expect(modeOf(join(folder, "x"))).toBe(0o660);
  });

  test("any other is refused by its reason", async () => {
    const error = await refusal(
      open(join(folder, "x"), {}, { setUmask: undefined, umask: () => 0 }),
    );
    expect(error.message).toMatch(/mode 660 in a worker thread/);
    expect(fs.readdirSync(folder)).toEqual([]);
  });
});

/**
 * What stands at the path of a unix socket, and the path itself → a socket, or a refusal (reliability O-1 to O-4).
 * Everything happens in a folder of its own; nothing that is not our dead socket may vanish from it.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { UsageError } from "../../src/errors.ts";
import { ERR_SOCKET_LIVE } from "../../src/server/socket-file.ts";
import { ask, makeDead, refusal, socketFolder, uid } from "./socket-folder.ts";

const folder = socketFolder();

describe("what stands at the path (O-2)", () => {
  test("a regular file stays as it is", async () => {
    const path = folder.at("x");
    fs.writeFileSync(path, "precious");
    expect((await refusal(folder.open(path))).message).toMatch(
      /a file stands and no socket; choose another/,
    );
    expect(fs.readFileSync(path, "utf8")).toBe("precious");
    expect(folder.names()).toEqual(["x"]);
  });

  test("a folder stays", async () => {
    const path = folder.at("x");
    fs.mkdirSync(path);
    expect((await refusal(folder.open(path))).message).toContain("a folder stands");
    expect(fs.statSync(path).isDirectory()).toBe(true);
  });

  test.each(["nowhere", "dead", "live"])("a symlink to a %s socket stays", async (target) => {
    const path = folder.at("x");
    if (target === "dead") await makeDead(folder.at(target));
    if (target === "live") await folder.open(folder.at(target));
    fs.symlinkSync(target, path);
    expect((await refusal(folder.open(path))).message).toContain("a symlink stands");
    expect(fs.readlinkSync(path)).toBe(target);
  });

  test("a fifo stays", async () => {
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [folder.at("x")]);
    expect((await refusal(folder.open(folder.at("x")))).message).toContain("no socket");
    expect(fs.lstatSync(folder.at("x")).isFIFO()).toBe(true);
  });

  test("a living instance stays and answers (ERR_SOCKET_LIVE, O-3)", async () => {
    const path = folder.at("x");
    await folder.open(path);
    const error = await refusal(folder.open(path));
    expect(error.code).toBe(ERR_SOCKET_LIVE);
    expect(error.message).toContain("another instance is listening");
    expect(await ask(path)).toBe("here");
    expect(folder.names()).toEqual(["x"]);
  });

  test("a dead socket of ours is replaced", async () => {
    const path = folder.at("x");
    await makeDead(path);
    await folder.open(path);
    expect(await ask(path)).toBe("here");
    expect(folder.names()).toEqual(["x"]);
  });

  test("a dead socket of somebody else stays, but not before root", async () => {
    const path = folder.at("x");
    await makeDead(path);
    const owner = uid === 0 ? 4242 : uid;
    if (uid === 0) fs.chownSync(path, owner, owner);
    const error = await refusal(folder.open(path, {}, { uid: 4343 }));
    expect(error.message).toContain(`a dead socket of user ${owner} stands`);
    expect(fs.lstatSync(path).isSocket()).toBe(true);
    await folder.open(path, {}, { uid: 0 });
    expect(await ask(path)).toBe("here");
  });

  test("of many that start at once, over nothing or over a dead socket, one wins and answers (O-3)", async () => {
    for (const dead of [false, true]) {
      const path = folder.at(`x${dead}`);
      if (dead) await makeDead(path);
      const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => folder.open(path)));
      const lost = outcomes.filter((outcome) => outcome.status === "rejected");
      expect(lost).toHaveLength(5);
      for (const { reason } of lost) expect((reason as UsageError).code).toBe(ERR_SOCKET_LIVE);
      expect(await ask(path)).toBe("here");
    }
    expect(folder.names()).toEqual(["xfalse", "xtrue"]);
  });
});

describe("paths and folders", () => {
  test("107 bytes fit, 108 are refused and nothing is made", async () => {
    const fits = folder.at("y".repeat(107 - folder.path.length - 1));
    await folder.open(fits);
    expect(await ask(fits)).toBe("here");
    const error = await refusal(folder.open(`${fits}y`));
    expect(error.message).toMatch(/a path of 108 bytes.*the system allows 107/);
    expect(folder.names()).toHaveLength(1);
  });

  test("bytes are counted, not characters", async () => {
    const path = folder.at("ü".repeat(50));
    expect((await refusal(folder.open(path))).message).toContain(
      `a path of ${Buffer.byteLength(path)} bytes`,
    );
  });

  test("a short name in a folder so long that the temporary name does not fit is refused", async () => {
    const deep = folder.at("d".repeat(107 - folder.path.length - 1 - 4));
    fs.mkdirSync(deep);
    expect((await refusal(folder.open(join(deep, "x")))).message).toContain(
      "with the temporary name beside it",
    );
  });

  test("an abstract name is refused, since it carries no permissions (O-4)", async () => {
    expect((await refusal(folder.open("\0postern"))).message).toContain("abstract sockets");
  });

  test("a folder that is missing or no folder is named", async () => {
    expect((await refusal(folder.open(folder.at("no", "x")))).message).toContain(
      `folder ${JSON.stringify(folder.at("no"))} does not exist`,
    );
    fs.writeFileSync(folder.at("file"), "");
    expect((await refusal(folder.open(folder.at("file", "x")))).message).toContain(
      "is not a folder",
    );
  });

  test("a folder in which everybody may write is warned of, unless it is sticky", async () => {
    fs.chmodSync(folder.path, 0o1777);
    await folder.open(folder.at("a"));
    expect(folder.warnings).toEqual([]);
    fs.chmodSync(folder.path, 0o777);
    await folder.open(folder.at("b"));
    expect(folder.warnings).toHaveLength(1);
    expect(folder.warnings[0]).toContain(JSON.stringify(folder.path));
  });
});

/**
 * This machine → the name of the folder that its prebuilt addon lies in.
 * What is loaded from there is select.test.ts's.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isMuslProgram, platformName } from "../../src/engine/platform.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-platform-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The beginning of a program that names this loader. */
function program(name: string, loader: string): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([Buffer.alloc(0x318), Buffer.from(`${loader}\0`)]));
  return path;
}

describe("the name of a prebuilt addon's folder", () => {
  it("knows a program of musl by its loader", () => {
    expect(isMuslProgram(program("musl", "/lib/ld-musl-x86_64.so.1"))).toBe(true);
    expect(isMuslProgram(program("glibc", "/lib64/ld-linux-x86-64.so.2"))).toBe(false);
  });

  it("takes a program that is empty or cannot be read for one of glibc", () => {
    writeFileSync(join(folder, "empty"), "");
    expect(isMuslProgram(join(folder, "empty"))).toBe(false);
    expect(isMuslProgram(join(folder, "absent"))).toBe(false);
  });

  it("says of this machine what node's own report says", () => {
    const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
    const isMusl = process.platform === "linux" && header.glibcVersionRuntime === undefined;
    const name = `${process.platform}-${process.arch}`;
    expect(platformName(process.platform, process.arch, process.execPath)).toBe(
      isMusl ? `${name}-musl` : name,
    );
  });
});

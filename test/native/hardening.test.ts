/**
 * The built addon as the linker left it: what it exports, what it asks of the system, and how it is protected in memory.
 * Reads it by readelf and loads nothing; the flags that leave no trace are read in binding.gyp.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const addon = join(root, "build/Release/postern.node");

/** Why it cannot be read here, or nothing. */
function obstacle(): string {
  if (process.platform !== "linux") return "no ELF here";
  if (!existsSync(addon)) return "the addon is not built";
  try {
    execFileSync("readelf", ["--version"]);
    return "";
  } catch {
    return "readelf is missing";
  }
}
const reason = obstacle();

const readelf = (...words: string[]): string =>
  execFileSync("readelf", ["-W", ...words, addon], { encoding: "utf8" });

/** Names in the table of dynamic symbols, without versions: those that it defines, or those that it needs. */
function symbols(kind: "defined" | "needed"): string[] {
  return readelf("--dyn-syms")
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((row) => /^\d+:$/.test(row[0] ?? "") && row[7] !== undefined)
    .filter((row) => (row[6] === "UND") === (kind === "needed"))
    .map((row) => row[7]!.replace(/@.*/, ""));
}

describe.skipIf(reason !== "")(
  `the addon as it was linked${reason === "" ? "" : ` (${reason})`}`,
  () => {
    test("exports what Node asks for and nothing else", () => {
      expect(symbols("defined").sort()).toEqual([
        "napi_register_module_v1",
        "node_api_module_get_api_version_v1",
      ]);
    });

    test("has RELRO with all names bound at load, no executable stack, no writable code, no search path", () => {
      const segments = readelf("-l");
      expect(segments).toMatch(/GNU_RELRO/);
      expect(segments).toMatch(/GNU_STACK\s+(0x\w+\s+){5}RW\s/);
      expect(segments).not.toMatch(/LOAD\s+(0x\w+\s+){5}RWE/);
      const dynamic = readelf("-d");
      expect(dynamic).toMatch(/BIND_NOW|FLAGS_1.*NOW/);
      expect(dynamic).not.toMatch(/TEXTREL|RPATH|RUNPATH/);
    });

    test("needs the C library alone, and its functions watch their stack", () => {
      const libraries = [...readelf("-d").matchAll(/NEEDED.*\[([^\]]+)\]/g)].map(
        ([, name]) => name!,
      );
      expect(
        libraries.filter((name) => !/^(libc|libm|libpthread|ld-linux|ld-musl)\b/.test(name)),
      ).toEqual([]);
      expect(symbols("needed")).toContain("__stack_chk_fail");
    });

    test("asks the system for no file, no program, no address, and for no function without bounds", () => {
      const files = [
        "open",
        "open64",
        "openat",
        "openat64",
        "creat",
        "fopen",
        "fopen64",
        "unlink",
        "rename",
      ];
      const programs = [
        "system",
        "popen",
        "fork",
        "vfork",
        "execve",
        "execvp",
        "posix_spawn",
        "dlopen",
      ];
      const addresses = ["connect", "bind", "listen", "getaddrinfo"];
      const unbounded = ["strcpy", "strcat", "gets", "atoi", "atol", "strtok", "select", "pselect"];
      const needed = symbols("needed");
      // A canary: the table was read.
      expect(needed).toContain("accept4");
      const forbidden = [...files, ...programs, ...addresses, ...unbounded];
      expect(forbidden.filter((name) => needed.includes(name))).toEqual([]);
    });
  },
);

test("both builds have the flags that leave no trace; warnings stop our own builds and no user's", () => {
  const [gyp, cmake] = ["binding.gyp", "native/CMakeLists.txt"].map((path) =>
    readFileSync(join(root, path), "utf8"),
  ) as [string, string];
  const flags = [
    "-Wall",
    "-Wextra",
    "-Wconversion",
    "-fstack-protector-strong",
    "-D_FORTIFY_SOURCE=2",
    "-z,relro,-z,now,-z,noexecstack",
    "exports.map",
  ];
  for (const flag of flags) {
    expect(gyp).toContain(flag);
    expect(cmake).toContain(flag);
  }
  expect(gyp).toContain("-fvisibility=hidden");
  expect(gyp).not.toMatch(/^\s*("-Wall".*)?"-Werror",/m);
  expect(gyp).toContain("process.env.POSTERN_WERROR === '1' ? '-Werror' : ''");
});

/**
 * Rules for the C++ sources that no compiler knows (docs: reliability of native code), checked on their text.
 * Compiles nothing; bounds are proved by guard pages and sanitizers.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { expect, test } from "vitest";

const native = resolve(import.meta.dirname, "../../native");

/** C++ files of one folder, without comments and texts. */
function sources(folder: string): { path: string; code: string }[] {
  return readdirSync(join(native, folder))
    .filter((name) => /\.(cc|h)$/.test(name))
    .map((name) => ({
      path: `${folder}/${name}`,
      code: readFileSync(join(native, folder, name), "utf8").replace(
        /\/\/.*$|"(?:[^"\\\n]|\\.)*"/gm,
        "",
      ),
    }));
}
const core = sources("core");
const binding = sources("binding");

function offenders(files: readonly { path: string; code: string }[], word: RegExp): string[] {
  return files.filter(({ code }) => word.test(code)).map(({ path }) => path);
}

test("there are sources to check", () => {
  expect(core.length).toBeGreaterThan(10);
  expect(binding.length).toBeGreaterThan(2);
});

test("no function that cannot know its bounds, and no select (F-10)", () => {
  const words =
    /\b(select|FD_SET|strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|system|alloca)\s*\(/;
  expect(offenders([...core, ...binding], words)).toEqual([]);
});

test("native code opens no file, starts no program and makes no socket but systemd's datagrams", () => {
  const words =
    /\b(f?open(at)?(64)?|creat|popen|fork|exec[lv]p?e?|posix_spawnp?|dlopen|unlink|rename|connect|bind)\s*\(/;
  const canary = { path: "canary", code: "int fd = open(path, 0);" };
  expect(offenders([...core, ...binding, canary], words)).toEqual(["canary"]);
  expect(offenders([...core, ...binding], /(?<!\w)(::)?socket(pair)?\s*\(/)).toEqual([
    "binding/js_datagram.cc",
  ]);
});

test("bytes are copied, compared and pointed at in bytes.h and byte_writer.h only", () => {
  const copies = /\b(memcpy|memmove|memcmp|memchr|memset|reinterpret_cast)\b/;
  expect(offenders(core, copies).sort()).toEqual(["core/byte_writer.h", "core/bytes.h"]);
  expect(offenders(core, /\bdata_\s*[+[]/)).toEqual(["core/bytes.h"]);
});

test("core opens nothing, prints nothing, throws nothing", () => {
  const words =
    /<(fstream|iostream|cstdio|stdio\.h|unistd\.h|sys\/.*|thread|mutex)>|\bthrow\b|\btry\b/;
  expect(offenders(core, words)).toEqual([]);
});

test("nothing that changes is static: several environments share one process (N-4)", () => {
  // A variable, not a function: no parenthesis before its end or value.
  const statics = /^\s*(static|thread_local)\s+(?!const\b|constexpr\b)[^(;]*[;={]/m;
  expect(offenders([...core, ...binding], statics)).toEqual([]);
  const canary = [{ path: "canary", code: "  static int count = 0;" }];
  expect(offenders(canary, statics)).toEqual(["canary"]);
});

test("each limit of the seam stands in one place in C++ (N-7)", () => {
  const numbers = /\b(1'?048'?576|8'?388'?608|9'?007'?199'?254'?740'?991)\b/;
  const files = offenders(core, numbers).map((path) => basename(path));
  expect(files).toEqual(["abi.h"]);
});

/**
 * Wishes and circumstances → the engine that runs, and the reason given.
 * It decodes nothing. What the addon itself refuses is in abi.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { addonPaths, expectedNumbers, loadAddon } from "../../src/engine/native.ts";
import { type EngineSurroundings, selectEngine } from "../../src/engine/select.ts";
import { FIELD_NAMES } from "../../src/http/field-names.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-select-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const absent = join(folder, "absent.node");
const corrupt = join(folder, "corrupt.node");
writeFileSync(corrupt, "This is no addon.");
// The loader takes any module, so a script can stand for an addon of another build.
const foreign = join(folder, "foreign.cjs");
writeFileSync(foreign, "exports.abi = () => ({ numbers: { EVENT_WIDTH: 5 }, fieldNames: [] });");

const built = loadAddon(addonPaths("none"));
const builtPath = built.addon === undefined ? absent : built.path;

function surroundings(paths: string[], environment?: string): EngineSurroundings {
  return { environment, paths: () => paths };
}

const none = surroundings([absent]);

describe("engine typescript", () => {
  test("runs when the option asks for it, without looking for an addon", () => {
    const paths = (): string[] => {
      throw new Error("looked for an addon");
    };
    const { choice, create } = selectEngine("typescript", { environment: "native", paths });
    expect(choice).toEqual({ name: "typescript", reason: "option engine asks for it" });
    expect(create({ headBytes: 100, fieldCount: 10 }).name).toBe("typescript");
  });

  test("runs when POSTERN_ENGINE asks for it", () => {
    for (const option of [undefined, "auto"]) {
      const { choice } = selectEngine(option, surroundings([builtPath], "typescript"));
      expect(choice).toEqual({ name: "typescript", reason: "POSTERN_ENGINE asks for it" });
    }
  });

  test("runs when the addon is not built, and says so", () => {
    expect(selectEngine("auto", none).choice).toEqual({
      name: "typescript",
      reason: "the addon is not built",
    });
  });

  test("runs when the addon does not load, and says why (N-6)", () => {
    const { choice } = selectEngine(undefined, surroundings([absent, corrupt]));
    expect(choice.name).toBe("typescript");
    expect(choice.reason).toMatch(/^the addon does not load: .*corrupt\.node/);
    expect(choice.reason).not.toContain("\n");
  });

  test("runs when the addon is of another build, and names the number", () => {
    expect(selectEngine(undefined, surroundings([foreign])).choice).toEqual({
      name: "typescript",
      reason: "the addon is of another build: EVENT_WIDTH is 5 there and 6 here",
    });
  });
});

test("an addon of before a function that is needed is of another build", () => {
  const former = join(folder, "former.cjs");
  const abi = { numbers: Object.fromEntries(expectedNumbers()), fieldNames: FIELD_NAMES };
  writeFileSync(former, `exports.abi = () => (${JSON.stringify(abi)});`);
  expect(selectEngine(undefined, surroundings([former])).choice).toEqual({
    name: "typescript",
    reason: "the addon is of another build: renewDecoder is absent there",
  });
});

describe("engine native", () => {
  test.each([
    ["absent", absent, "the addon is not built"],
    ["corrupt", corrupt, "the addon does not load: "],
    ["of another build", foreign, "the addon is of another build: EVENT_WIDTH is 5"],
  ])("is an error and no fallback when the addon is %s", (_, path, reason) => {
    for (const [option, environment, source] of [
      ["native", undefined, "option engine"],
      ["native", "typescript", "option engine"],
      [undefined, "native", "POSTERN_ENGINE"],
      ["auto", "native", "POSTERN_ENGINE"],
    ] as const) {
      const select = (): unknown => selectEngine(option, surroundings([path], environment));
      expect(select).toThrow(UsageError);
      expect(select).toThrow(`that ${source} asks for cannot run because ${reason}`);
      expect(select).toThrow(
        /; use the engine "auto" or, in a checkout of postern, build it with "npm run build:native"\.$/,
      );
    }
  });

  describe.skipIf(built.addon === undefined)("with the addon built", () => {
    test("runs by itself, and says where from", () => {
      const { choice, create } = selectEngine(undefined, surroundings([builtPath]));
      expect(choice).toEqual({
        name: "native",
        reason: "the addon loads from build/Release/postern.node",
      });
      expect(create({ headBytes: 100, fieldCount: 10 }).name).toBe("native");
    });

    test("runs when it is asked for", () => {
      expect(selectEngine("native", surroundings([builtPath])).choice).toEqual({
        name: "native",
        reason: "option engine asks for it",
      });
      expect(selectEngine("auto", surroundings([builtPath], "native")).choice).toEqual({
        name: "native",
        reason: "POSTERN_ENGINE asks for it",
      });
    });

    test("runs from the next place when the first cannot be used", () => {
      const { choice } = selectEngine(undefined, surroundings([absent, corrupt, builtPath]));
      expect(choice.name).toBe("native");
    });
  });
});

describe("the process's own surroundings", () => {
  afterEach(() => void vi.unstubAllEnvs());

  test("are what counts where nothing else is given", () => {
    vi.stubEnv("POSTERN_ENGINE", "typescript");
    expect(selectEngine().choice.reason).toBe("POSTERN_ENGINE asks for it");
    vi.stubEnv("POSTERN_ENGINE", "fast");
    expect(() => selectEngine()).toThrow('POSTERN_ENGINE is "fast"');
  });

  test("name this machine's folder of prebuilt addons, and find the addon that is built", () => {
    vi.stubEnv("POSTERN_ENGINE", "");
    expect(selectEngine().choice.name).toBe(built.addon === undefined ? "typescript" : "native");
  });
});

test("an empty POSTERN_ENGINE counts as not set", () => {
  expect(selectEngine(undefined, surroundings([absent], "")).choice.name).toBe("typescript");
});

test.each([
  ["C++", undefined, 'Option engine is "C++"; expected "native", "typescript" or "auto".'],
  [undefined, "fast", 'POSTERN_ENGINE is "fast"; expected "native", "typescript" or "auto".'],
  ["typescript", "fast", 'POSTERN_ENGINE is "fast"; expected "native", "typescript" or "auto".'],
])(
  "an unknown word is an error that says where it stands (%s, %s)",
  (option, environment, text) => {
    const select = (): unknown => selectEngine(option, surroundings([absent], environment));
    expect(select).toThrow(UsageError);
    expect(select).toThrow(text);
  },
);

test("the addon is looked for in the build folder, then among the prebuilt ones", () => {
  const [first, second, ...more] = addonPaths("linux-x64-musl");
  expect(more).toEqual([]);
  expect(first).toMatch(/[\\/]build[\\/]Release[\\/]postern\.node$/);
  expect(second).toMatch(/[\\/]prebuilds[\\/]linux-x64-musl[\\/]postern\.node$/);
});

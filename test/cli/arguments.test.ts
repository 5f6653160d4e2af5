/**
 * Command lines → what they ask for: every option in every spelling, and runfcgi's words beside them.
 * Starts nothing; wrong words are tested through the real program in refusals.test.ts.
 */
import { describe, expect, test } from "vitest";
import { optionName, readArguments, type ServeCommand } from "../../src/cli/arguments.ts";
import { usage } from "../../src/cli/usage.ts";
import { hasText, OPTIONS, type OptionType } from "../../src/serve/option-table.ts";

/** A text that each type takes, and what becomes of it. */
const SAMPLES: Readonly<Record<OptionType["type"], readonly [string, unknown] | undefined>> = {
  integer: ["8200", 8200],
  boolean: ["yes", true],
  text: ["a=b c", "a=b c"],
  octal: ["0640", "0640"],
  account: ["www-data", "www-data"],
  engine: ["typescript", "typescript"],
  transport: ["node", "node"],
  protocol: ["scgi,http", ["scgi", "http"]],
  descriptor: ["systemd:web", "systemd:web"],
  list: ["::1, 127.0.0.1", ["::1", "127.0.0.1"]],
  folders: ["/a=/x,y,/b=z=1", ["/a=/x,y", "/b=z=1"]],
  pattern: ["X-.*", /X-.*/],
  function: undefined,
  signal: undefined,
};

function serving(...words: string[]): ServeCommand {
  const command = readArguments(words);
  if (command.kind !== "serve") throw new Error(`it is ${command.kind}`);
  return command;
}

/** The value of an option with its group. */
function valueAt(options: object, name: string): unknown {
  let value: unknown = options;
  for (const part of name.split(".")) value = (value as Record<string, unknown>)[part];
  return value;
}

describe("every option", () => {
  test.each(OPTIONS.filter(hasText).map((row) => [row.name, row] as const))(
    "%s, in every spelling",
    (name, row) => {
      const [text, value] = SAMPLES[row.takes.type]!;
      const dashed = optionName(name);
      const spellings = [
        [`--${dashed}=${text}`],
        [`--${name}=${text}`],
        [`${dashed}=${text}`],
        [`${name.toUpperCase()}=${text}`],
        ...(row.takes.type === "boolean" ? [[`--${dashed}`]] : [[`--${dashed}`, text]]),
      ];
      for (const words of spellings) {
        const { app, options } = serving("app.js", ...words);
        expect(app).toBe("app.js");
        expect(valueAt(options, name), words.join(" ")).toEqual(value);
      }
      expect(usage()).toContain(`--${dashed}`);
    },
  );

  test("that is true or false can be denied", () => {
    expect(serving("app.js", "--no-multiplex").options).toEqual({ multiplex: false });
    expect(serving("app.js", "--multiplex=off").options).toEqual({ multiplex: false });
    expect(serving("app.js", "halfopen=0", "--scgi.strict", "--port", "1").options).toEqual({
      halfOpen: false,
      scgi: { strict: true },
      port: 1,
    });
  });
});

describe("workers", () => {
  const processes = (...words: string[]) => serving("app.js", "port=1", ...words).processes;

  test("any of runfcgi's bounds makes them dynamic, with its defaults for the others", () => {
    const { method, scaling } = processes("minspare=1");
    expect(method).toBe("prefork");
    expect(scaling).toMatchObject({ mode: "dynamic", minSpare: 1, maxSpare: 5 });
    expect(scaling.maxChildren).toBeGreaterThanOrEqual(5);
  });

  test("a low maxchildren lowers the defaults of the others", () => {
    expect(processes("maxchildren=1").scaling).toMatchObject({
      mode: "dynamic",
      minSpare: 1,
      maxSpare: 1,
      maxChildren: 1,
    });
  });

  test("a number of workers is a fixed one", () => {
    expect(processes("workers=3").scaling).toMatchObject({ mode: "static", workers: 3 });
    expect(processes("workers=3", "maxchildren=9").scaling.mode).toBe("static");
  });

  test("recycling asks for workers, and 0 is never", () => {
    expect(processes("maxrequests=500")).toMatchObject({
      method: "prefork",
      recycling: { maxRequests: 500, maxAgeMs: Number.POSITIVE_INFINITY },
    });
    expect(processes("maxrequests=0").recycling.maxRequests).toBe(Number.POSITIVE_INFINITY);
    expect(processes("--max-rss=100", "--max-heap", "50", "--max-age", "60000")).toMatchObject({
      recycling: { maxRssBytes: 104_857_600, maxHeapBytes: 52_428_800, maxAgeMs: 60_000 },
    });
    expect(processes("--max-restarts", "Infinity").maxRestarts).toBe(Number.POSITIVE_INFINITY);
  });
});

test.each([
  [["pm=prefork"], 'pm is "prefork"; it takes static, dynamic or ondemand.'],
  [["minspare=4", "maxspare=3"], "minspare is 4 and maxspare 3; minspare may be maxspare at most."],
  [
    ["minspare=4", "maxchildren=3"],
    "minspare is 4 and maxchildren 3; minspare may be maxchildren at",
  ],
  [["workers=2", "pm=dynamic"], "workers is 2 and pm is dynamic; leave workers out"],
  [["method=threaded", "--max-rss", "100"], "max-rss is about processes"],
  [["pm=static", "minspare=3"], "minspare is about pm=dynamic, and pm is static; leave one of"],
  [["pm=ondemand", "maxspare=3"], "maxspare is about pm=dynamic, and pm is ondemand; leave one"],
  [["method=single", "workers=3"], "workers asks for workers, and method=single has none; leave"],
  [["method=single", "maxrequests=4"], "maxrequests asks for workers, and method=single has none"],
  [["--method", "single", "--max-rss", "9"], "maxRss asks for workers, and method=single has none"],
  [["method=single", "pm=ondemand"], "pm asks for workers, and method=single has none; leave one"],
  [["maxchildren=0"], "maxchildren is 0; it takes a whole number from 1 to 1024."],
])("%j is refused in one sentence", (words, sentence) => {
  expect(() => serving("app.js", ...words)).toThrow(sentence);
});

describe("words", () => {
  test("may stand before and behind the application, and later ones win", () => {
    expect(serving("port=1", "app.js", "--port", "2", "PORT=3")).toMatchObject({
      kind: "serve",
      app: "app.js",
      folder: process.cwd(),
      words: ["port=1", "app.js", "--port", "2", "PORT=3"],
      options: { port: 3 },
    });
  });

  test("lists grow", () => {
    const { options } = serving("app.js", "--trust.peers=::1", "trust.peers=10.0.0.0/8,127.0.0.1");
    expect(options.trust?.peers).toEqual(["::1", "10.0.0.0/8", "127.0.0.1"]);
  });

  test("folders grow, and keep the commas of their names", () => {
    const { options } = serving("app.js", "--static", "/a=/x,y,/b=/z", "static=/c=/u=v");
    expect(options.static).toEqual(["/a=/x,y", "/b=/z", "/c=/u=v"]);
  });

  test("keep everything behind the first equals sign", () => {
    expect(serving("app.js", "socket=/run/a=b.sock").options).toEqual({ socket: "/run/a=b.sock" });
    expect(serving("app.js", "script-name=").options).toEqual({ scriptName: "" });
  });

  test.each(["./a=b.js", "/srv/a=b.js", "dir/a=b.js"])(
    "%s is an application and no word",
    (path) => {
      expect(serving(path).app).toBe(path);
    },
  );

  test("of runfcgi are options in any case, with what they imply", () => {
    const { options, processes } = serving(
      "app.js",
      "method=Thread",
      "socket=x",
      "DEBUG=t",
      "MaxRequests=500",
      "minspare=2",
      "MAXSPARE=5",
      "maxchildren=50",
      "pidfile=x.pid",
    );
    expect(options).toEqual({ socket: "x" });
    expect(processes).toMatchObject({
      method: "threaded",
      daemonize: true,
      workdir: "/",
      debug: true,
      maxrequests: 500,
      minspare: 2,
      maxspare: 5,
      maxchildren: 50,
      pidfile: "x.pid",
    });
  });

  test.each([
    [["app.js", "debug"], true],
    [["app.js", "--debug"], true],
    [["app.js", "debug=false"], false],
    [["app.js", "debug=0"], false],
    [["app.js", "--debug=no"], false],
  ])("%j sets debug to %s", (words, debug) => {
    expect(serving(...words).processes.debug).toBe(debug);
  });

  test.each([
    [["port=1"], "prefork", true],
    [["port=1", "method=single"], "single", true],
    [["port=1", "daemonize=false"], "prefork", false],
    [["port=1", "daemonize=NO"], "prefork", false],
    [["port=1", "daemonize=f"], "prefork", false],
    [["--port", "1", "daemonize=T"], "prefork", true],
    [["--port", "1", "daemonize"], "prefork", true],
    [["--port", "1", "--daemonize"], "single", true],
    [["--port", "1"], "single", false],
    [["--port", "1", "--workers", "1"], "single", false],
    [["--port", "1", "--workers", "3"], "prefork", false],
    [["--port", "1", "--watch"], "prefork", false],
    [["--port", "1", "--touch-reload"], "prefork", false],
    [["protocol=scgi"], "single", false],
    [["protocol=scgi", "method=fork"], "prefork", false],
    [[], "single", false],
  ] as const)("%j: method %s, daemon %s", (words, method, daemonize) => {
    expect(serving("app.js", ...words).processes).toMatchObject({ method, daemonize });
  });
});

describe("help and version", () => {
  test.each([
    ["--help", "help"],
    ["-h", "help"],
    ["help", "help"],
    ["Help=x", "help"],
    ["--version", "version"],
    ["-v", "version"],
    ["-V", "version"],
  ])("%s", (word, kind) => {
    expect(readArguments([word]).kind).toBe(kind);
    expect(readArguments(["app.js", word]).kind).toBe(kind);
  });
});

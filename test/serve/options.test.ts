/**
 * Options and environment → settings: every default, every wrong value, every combination that is refused.
 * Nothing is opened here but the file of a secret.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { hasText, OPTIONS } from "../../src/serve/option-table.ts";
import { variableName } from "../../src/serve/option-values.ts";
import { normalizeOptions, type ServeOptions } from "../../src/serve/options.ts";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";

const folder = mkdtempSync(join(tmpdir(), "postern-options-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SECRET = "0123456789abcdef";
const hash = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Options as somebody without types writes them. */
const loosely = (options: object): ServeOptions => options as ServeOptions;

/** The one sentence of the refusal. */
function refusal(options: object, env: Record<string, string> = {}): string {
  try {
    normalizeOptions(loosely(options), env);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    const { message } = error as UsageError;
    expect(message).not.toContain("\n");
    expect(message).toMatch(/[.?]$/);
    return message;
  }
  throw new Error("it was not refused");
}

describe("defaults", () => {
  test("are all there when nothing is given", () => {
    expect(normalizeOptions()).toEqual({
      listen: { kind: "inherited" },
      backlog: 4096,
      protocols: ["fastcgi"],
      auto: false,
      engine: undefined,
      multiplex: false,
      halfOpen: false,
      scriptName: undefined,
      stripScriptName: false,
      limits: DEFAULT_LIMITS,
      timeouts: {
        head: 10_000,
        body: 60_000,
        write: 60_000,
        idle: 75_000,
        request: 0,
        drain: 30_000,
        kill: 5_000,
      },
      trust: { peers: undefined, allowRemote: false, webServerAddresses: undefined },
      ajp: { secretHash: undefined, packetSize: 8192, attributes: undefined, rawBody: false },
      scgi: { strict: false },
      signal: undefined,
      onListen: undefined,
      onError: undefined,
      note: undefined,
    });
  });

  test("hold where undefined is given", () => {
    expect(
      normalizeOptions({ backlog: undefined, limits: undefined, ajp: { rawBody: undefined } }),
    ).toEqual(normalizeOptions());
  });

  test("the result is frozen throughout", () => {
    const resolved = normalizeOptions({ protocol: ["scgi"], trust: { peers: ["::1"] } });
    for (const part of [
      resolved,
      resolved.listen,
      resolved.protocols,
      resolved.limits,
      resolved.timeouts,
      resolved.trust,
      resolved.trust.peers,
      resolved.ajp,
      resolved.scgi,
    ]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});

describe("protocol", () => {
  test.each([
    ["fcgi", ["fastcgi"]],
    ["ajp13", ["ajp"]],
    ["SCGI", ["scgi"]],
    [
      ["fcgi", "fastcgi", "http"],
      ["fastcgi", "http"],
    ],
  ])("%j is %j", (protocol, names) => {
    expect(normalizeOptions(loosely({ protocol, socket: "/x" })).protocols).toEqual(names);
  });

  test("auto is all four on a unix socket", () => {
    const { protocols, auto, note } = normalizeOptions({ protocol: "auto", socket: "/x" });
    expect(protocols).toEqual(["fastcgi", "scgi", "ajp", "http"]);
    expect(auto).toBe(true);
    expect(note).toBeUndefined();
  });

  test("auto on TCP without a secret leaves AJP out and says so", () => {
    const { protocols, note } = normalizeOptions({ protocol: "auto", port: 0 });
    expect(protocols).toEqual(["fastcgi", "scgi", "http"]);
    expect(note).toContain("AJP is left out");
  });

  test("auto on TCP with a secret keeps AJP", () => {
    const { protocols, note } = normalizeOptions({
      protocol: "auto",
      port: 0,
      ajp: { secret: SECRET },
    });
    expect(protocols).toContain("ajp");
    expect(note).toBeUndefined();
  });

  test.each(["ajp", "ajp13", ["fastcgi", "ajp"]])(
    "%j on TCP needs a secret and is told how",
    (protocol) => {
      expect(refusal({ protocol, port: 8009 })).toMatch(/needs a secret.*ajp\.secretFile/);
    },
  );

  test("ajp on a unix socket needs none", () => {
    expect(normalizeOptions({ protocol: "ajp", socket: "/x" }).ajp.secretHash).toBeUndefined();
  });

  test.each(["gopher", "", [], ["auto"], ["auto", "scgi"], 7, null])(
    "%j is refused",
    (protocol) => {
      if (Array.isArray(protocol) && protocol.length === 1) {
        expect(normalizeOptions(loosely({ protocol, socket: "/x" })).auto).toBe(true);
      } else {
        expect(refusal({ protocol })).toMatch(/^protocol is .*it takes "fastcgi"/);
      }
    },
  );
});

describe("addresses", () => {
  test("a port is on 127.0.0.1", () => {
    expect(normalizeOptions({ port: "9000" }).listen).toEqual({
      kind: "tcp",
      host: "127.0.0.1",
      port: 9000,
    });
  });

  test("an IPv6 host may have its brackets", () => {
    expect(normalizeOptions({ port: 0, host: "[::1]" }).listen).toEqual({
      kind: "tcp",
      host: "::1",
      port: 0,
    });
  });

  test.each(["socket", "path"])("%s is made absolute, with mode 660", (name) => {
    expect(normalizeOptions({ [name]: "run/x.sock" }).listen).toEqual({
      kind: "unix",
      path: resolve("run/x.sock"),
      mode: 0o660,
      owner: undefined,
      group: undefined,
    });
  });

  test.each([
    [{ mode: 0o600 }, 0o600],
    [{ mode: "0600" }, 0o600],
    [{ mode: "666", umask: 0o777 }, 0o666],
    [{ umask: 0o002 }, 0o775],
    [{ umask: "0022" }, 0o755],
  ])("%j gives the socket file its permissions", (options, mode) => {
    expect(normalizeOptions({ socket: "/x", ...options }).listen).toMatchObject({ mode });
  });

  test.each([
    [{ fd: "stdin" }, { kind: "fd", fd: 0 }],
    [{ fd: 3 }, { kind: "fd", fd: 3 }],
    [{ fd: "systemd" }, { kind: "systemd", name: undefined }],
    [{ fd: "systemd:web" }, { kind: "systemd", name: "web" }],
  ])("%j is %j", (options, listen) => {
    expect(normalizeOptions(loosely(options)).listen).toEqual(listen);
  });

  test.each([
    [{ socket: "/x", port: 1 }, "socket and port are both addresses"],
    [{ socket: "/x", path: "/y" }, "socket and path are both addresses"],
    [{ fd: 0, port: 1 }, "port and fd are both addresses"],
    [{ socket: "/x", host: "::1" }, "host and socket do not go together"],
    [{ host: "127.0.0.1" }, "there is no port"],
  ])("%j is refused", (options, sentence) => {
    expect(refusal(options)).toContain(sentence);
  });
});

describe("hosts that other machines reach (X-4)", () => {
  const peers = ["192.0.2.1"];
  test.each([
    [{ host: "0.0.0.0" }, /trust\.allowRemote and trust\.peers/],
    [{ host: "::" }, /trust\.allowRemote and trust\.peers/],
    [{ host: "192.0.2.7", trust: { peers } }, /set trust\.allowRemote,/],
    [{ host: "192.0.2.7", trust: { allowRemote: true } }, /set trust\.peers/],
    // A secret protects AJP and nothing beside it.
    [
      { host: "::", trust: { allowRemote: true }, protocol: "auto", ajp: { secret: SECRET } },
      /set trust\.peers/,
    ],
  ])("%j is refused", (options, sentence) => {
    expect(refusal({ port: 9000, ...options })).toMatch(sentence);
  });

  test.each([
    { host: "0.0.0.0", trust: { allowRemote: true, peers } },
    { host: "::", trust: { allowRemote: true }, protocol: "ajp", ajp: { secret: SECRET } },
    { host: "127.8.9.1" },
    { host: "::1" },
    { host: "localhost" },
  ])("%j is not", (options) => {
    expect(normalizeOptions(loosely({ port: 9000, ...options })).listen.kind).toBe("tcp");
  });

  test("FCGI_WEB_SERVER_ADDRS counts as a list of peers", () => {
    const options = { port: 9000, host: "0.0.0.0", trust: { allowRemote: true } };
    const { trust } = normalizeOptions(options, { FCGI_WEB_SERVER_ADDRS: "192.0.2.1,x" });
    expect(trust.webServerAddresses).toEqual(["192.0.2.1"]);
  });

  test("FCGI_WEB_SERVER_ADDRS that names nobody is said in the note", () => {
    expect(normalizeOptions({}, { FCGI_WEB_SERVER_ADDRS: "x" }).note).toContain(
      "nobody may connect",
    );
  });
});

describe("the AJP secret", () => {
  const file = join(folder, "secret");
  writeFileSync(file, `${SECRET}\r\n`, { mode: 0o600 });
  test.each([
    [{ ajp: { secret: SECRET } }, {}],
    [{ ajp: { secretFile: file } }, {}],
    [{}, { POSTERN_AJP_SECRET: SECRET }],
    [{}, { POSTERN_AJP_SECRET_FILE: file }],
    [{ ajp: { secret: SECRET } }, { POSTERN_AJP_SECRET_FILE: "/nowhere" }],
  ])("from %j and %j is kept as its hash alone", (options, env: Record<string, string>) => {
    const resolved = normalizeOptions(options, env);
    expect(resolved.ajp.secretHash?.toString("hex")).toBe(hash(SECRET));
    expect(JSON.stringify(resolved)).not.toContain(SECRET);
  });

  test("may hold any bytes when it stands in a file", () => {
    const bytes = Buffer.from("00ff80c3280a0a0a41ff00112233445566778899", "hex");
    writeFileSync(join(folder, "bytes"), bytes);
    const { ajp } = normalizeOptions({ ajp: { secretFile: join(folder, "bytes") } });
    expect(ajp.secretHash).toEqual(createHash("sha256").update(bytes).digest());
  });

  test("is refused when it is short, without being repeated", () => {
    const sentence = refusal({ ajp: { secret: "fifteen-bytes-x" } });
    expect(sentence).toMatch(/15 bytes long; at least 16/);
    expect(sentence).not.toContain("fifteen");
    expect(refusal({ ajp: { secret: 5 } })).toContain("ajp.secret is of type number");
  });

  test("is refused when it is given twice, or its file is short, empty or missing", () => {
    expect(refusal({ ajp: { secret: SECRET, secretFile: file } })).toContain("are both given");
    writeFileSync(join(folder, "empty"), "\n");
    expect(refusal({ ajp: { secretFile: join(folder, "empty") } })).toContain("is 0 bytes long");
    expect(refusal({ ajp: { secretFile: join(folder, "no") } })).toMatch(
      /cannot be read \(ENOENT\)/,
    );
  });
});

describe("unknown names", () => {
  test.each([
    [{ sokcet: "/x" }, /Unknown option "sokcet"; did you mean "socket"\?/],
    [{ Protocol: "scgi" }, /did you mean "protocol"/],
    [{ limits: { bodybytes: 1 } }, /"limits\.bodybytes"; did you mean "limits\.bodyBytes"/],
    [{ bodyBytes: 1 }, /did you mean "limits\.bodyBytes"/],
    [{ timeouts: { keepAlive: 1 } }, /Unknown option "timeouts\.keepAlive"/],
    [{ ajp: { sercet: "x" } }, /did you mean "ajp\.secret"/],
    [{ "limits.bodyBytes": 5, xyzzy: 1 }, /Unknown option "xyzzy"; see the documentation/],
    [{ workers: 4 }, /"workers" comes in a later release/],
    [{ trust: { tls: true } }, /"trust\.tls" comes in a later release/],
  ])("%j", (options, sentence) => {
    expect(refusal(options)).toMatch(sentence);
  });

  test.each(["limits", "timeouts", "trust", "ajp", "scgi"])("%s has to be an object", (name) => {
    expect(refusal({ [name]: 5 })).toContain(`${name} is no object`);
    expect(refusal({ [name]: [] })).toContain(`${name} is no object`);
    expect(refusal({ [name]: null })).toContain(`${name} is no object`);
  });

  test("options that are no object are refused", () => {
    expect(refusal([])).toContain("The options are no object");
  });
});

describe("wrong values", () => {
  /** Per type, values that no option of that type takes. */
  const WRONG: Readonly<Record<string, readonly unknown[]>> = {
    integer: [-1, 1.5, Number.NaN, -Infinity, "", "1e3", "x", true, {}, 2 ** 60],
    boolean: ["true", 1, 0, "no", {}],
    text: [5, true, {}, []],
    octal: [-1, 0o1000, 8.5, "8", "99", "rw", "", true],
    account: [-1, 1.5, "", {}, true],
    engine: ["fast", "Native", 1, ""],
    protocol: ["gopher", 1, [], ["scgi", "x"]],
    descriptor: [-1, 1.5, "0", "stdout", "systemd:", "systemd:a:b", true],
    list: ["127.0.0.1", [5], [""], {}],
    pattern: ["^x$", 5],
    function: ["x", {}],
    signal: [{}, true, new AbortController()],
  };
  test.each(OPTIONS.map((option) => [option.name, option] as const))("%s", (name, option) => {
    for (const value of WRONG[option.takes.type]!) {
      const [first, second] = name.split(".");
      const options =
        second === undefined ? { [first!]: value } : { [first!]: { [second]: value } };
      expect(refusal(options), String(value)).toMatch(
        new RegExp(`^${name.replace(".", "\\.")} is .*; it takes `),
      );
    }
  });

  test.each([
    [{ port: 65_536 }, "port is 65536; it takes a whole number from 0 to 65535."],
    [
      { ajp: { packetSize: 8_191 } },
      "ajp.packetSize is 8191; it takes a whole number from 8192 to 65536.",
    ],
    [{ ajp: { packetSize: 65_537 } }, "from 8192 to 65536"],
    [{ limits: { requests: 0 } }, "a whole number from 1, or Infinity"],
    [{ timeouts: { idle: Number.POSITIVE_INFINITY } }, "timeouts.idle is Infinity"],
    [{ backlog: 0 }, "backlog is 0"],
    [{ port: "x".repeat(200) }, `port is "${"x".repeat(120)}…"; it takes`],
  ])("%j", (options, sentence) => {
    expect(refusal(options)).toContain(sentence);
  });

  test("the ends of ranges are right values", () => {
    const { ajp, limits, timeouts } = normalizeOptions({
      port: 65_535,
      ajp: { packetSize: 65_536 },
      limits: { requests: 1, bodyBytes: Number.POSITIVE_INFINITY },
      timeouts: { idle: 2_147_483_647, drain: 0 },
    });
    expect(ajp.packetSize).toBe(65_536);
    expect(limits).toEqual({ ...DEFAULT_LIMITS, requests: 1, bodyBytes: Number.POSITIVE_INFINITY });
    expect(timeouts.drain).toBe(0);
  });

  test("ajp.attributes has to match the whole of a name", () => {
    const { attributes } = normalizeOptions({ ajp: { attributes: /A|AB|shib-.+/gi } }).ajp;
    for (const name of ["A", "AB", "Shib-Id", "A"]) expect(attributes?.test(name), name).toBe(true);
    for (const name of ["XA", "ABC", ""]) expect(attributes?.test(name), name).toBe(false);
  });
});

describe("the environment", () => {
  test("spells the names of options", () => {
    expect(variableName("limits.bodyBytes")).toBe("POSTERN_LIMITS_BODY_BYTES");
    const resolved = normalizeOptions(
      {},
      {
        POSTERN_PROTOCOL: "scgi,fcgi",
        POSTERN_PORT: "9001",
        POSTERN_HOST: "::1",
        POSTERN_LIMITS_BODY_BYTES: "infinity",
        POSTERN_TIMEOUTS_DRAIN: "5",
        POSTERN_TRUST_PEERS: "127.0.0.1, ::1",
        POSTERN_HALF_OPEN: "yes",
        POSTERN_SCRIPT_NAME: "",
        POSTERN_BACKLOG: "",
        POSTERN_AJP_ATTRIBUTES: "X.*",
        POSTERN_UNKNOWN: "of no concern",
      },
    );
    expect(resolved).toMatchObject({
      protocols: ["scgi", "fastcgi"],
      listen: { kind: "tcp", host: "::1", port: 9001 },
      limits: { bodyBytes: Number.POSITIVE_INFINITY },
      timeouts: { drain: 5 },
      trust: { peers: ["127.0.0.1", "::1"] },
      halfOpen: true,
      scriptName: "",
      backlog: 4096,
      ajp: { attributes: /^(?:X.*)$/ },
    });
  });

  test("is silent where the caller speaks, about all addresses at once", () => {
    const env = { POSTERN_SOCKET: "/env", POSTERN_PROTOCOL: "scgi", POSTERN_UMASK: "0" };
    const { listen, protocols } = normalizeOptions({ port: 1, protocol: "http", mode: 0o600 }, env);
    expect(listen).toEqual({ kind: "tcp", host: "127.0.0.1", port: 1 });
    expect(protocols).toEqual(["http"]);
  });

  test("leaves the engine to engine/select.ts", () => {
    expect(normalizeOptions({}, { POSTERN_ENGINE: "typescript" }).engine).toBeUndefined();
  });

  test.each(
    OPTIONS.filter((row) => hasText(row) && row.takes.type === "integer").map((row) => row.name),
  )("names the variable of %s in the refusal", (name) => {
    expect(refusal({}, { [variableName(name)]: "many" })).toMatch(
      new RegExp(`^${variableName(name)} is "many"; it takes`),
    );
  });

  test.each([
    ["POSTERN_MULTIPLEX", "maybe"],
    ["POSTERN_AJP_ATTRIBUTES", "("],
    ["POSTERN_MODE", "rw"],
    ["POSTERN_FD", "stdout"],
  ])("refuses %s=%s by name", (variable, text) => {
    expect(refusal({}, { [variable]: text })).toMatch(new RegExp(`^${variable} is `));
  });
});

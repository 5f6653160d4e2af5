/**
 * Options → settings: every default, every name that does not exist, every value of a wrong type or out of range.
 * Nothing is opened. What single options mean is in the files beside this one.
 */
import { describe, expect, test } from "vitest";
import { OPTIONS } from "../../src/serve/option-table.ts";
import { normalizeOptions } from "../../src/serve/options.ts";
import { DEFAULT_LIMITS } from "../../src/wire/limits.ts";
import { refusal } from "./refusal.ts";

describe("defaults", () => {
  test("are all there when nothing is given", () => {
    expect(normalizeOptions()).toEqual({
      listen: { kind: "inherited" },
      backlog: 4096,
      protocols: ["fastcgi"],
      auto: false,
      engine: undefined,
      transport: "auto",
      multiplex: false,
      halfOpen: false,
      scriptName: undefined,
      stripScriptName: false,
      static: [],
      sendfile: [],
      limits: DEFAULT_LIMITS,
      timeouts: {
        head: 10_000,
        body: 60_000,
        write: 60_000,
        idle: 75_000,
        request: 0,
        queue: 0,
        slow: 1_000,
        drain: 30_000,
        kill: 5_000,
      },
      trust: {
        peers: undefined,
        allowRemote: false,
        webServerAddresses: undefined,
        user: true,
        tls: true,
      },
      ajp: { secretHash: undefined, packetSize: 8192, attributes: undefined, rawBody: false },
      scgi: { strict: false },
      status: undefined,
      statusPath: undefined,
      statusPeers: ["127.0.0.0/8", "::1"],
      signal: undefined,
      onListen: undefined,
      logs: { access: undefined, slow: undefined },
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

describe("unknown names", () => {
  test.each([
    [{ sokcet: "/x" }, /Unknown option "sokcet"; did you mean "socket"\?/],
    [{ Protocol: "scgi" }, /did you mean "protocol"/],
    [{ limits: { bodybytes: 1 } }, /"limits\.bodybytes"; did you mean "limits\.bodyBytes"/],
    [{ bodyBytes: 1 }, /did you mean "limits\.bodyBytes"/],
    [{ timeouts: { keepAlive: 1 } }, /Unknown option "timeouts\.keepAlive"/],
    [{ ajp: { sercet: "x" } }, /did you mean "ajp\.secret"/],
    [{ "limits.bodyBytes": 5, xyzzy: 1 }, /Unknown option "xyzzy"; postern --help lists them all/],
    [{ workers: 4 }, /"workers" comes in a later release; start .* postern app.js workers=4\./],
    [{ ajp: { route: "a" } }, /"ajp\.route" comes in a later release/],
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
    transport: ["tls", "Native", 1, ""],
    protocol: ["gopher", 1, [], ["scgi", "x"]],
    descriptor: [-1, 1.5, "0", "stdout", "systemd:", "systemd:a:b", true],
    list: ["127.0.0.1", [5], [""], {}],
    folders: [
      5,
      true,
      null,
      "media",
      "media=/tmp",
      ["/m"],
      { m: "/tmp" },
      { "/m": 5 },
      { "/m": "" },
    ],
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

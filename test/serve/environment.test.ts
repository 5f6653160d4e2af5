/**
 * POSTERN_* variables → settings: their spelling, their place behind the caller's options, and refusals that name them.
 * Reads no variable of this process.
 */
import { describe, expect, test } from "vitest";
import { hasText, OPTIONS } from "../../src/serve/option-table.ts";
import { variableName } from "../../src/serve/option-values.ts";
import { normalizeOptions } from "../../src/serve/options.ts";
import { refusal } from "./refusal.ts";

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

/**
 * The option protocol → which protocols are spoken: names, their aliases, auto, and when AJP needs a secret.
 * The secret itself is in ajp-secret.test.ts.
 */
import { describe, expect, test } from "vitest";
import { normalizeOptions } from "../../src/serve/options.ts";
import { loosely, refusal, SECRET } from "./refusal.ts";

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

  test("auto on TCP without a secret leaves AJP out and says so (A-3)", () => {
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

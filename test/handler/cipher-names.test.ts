/**
 * Names of cipher suites: what is worked out from OpenSSL's name is what OpenSSL itself says.
 */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { cipherVersion, standardCipherName } from "../../src/handler/node/cipher-names.ts";
import { findProgram } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";

test("each suite with a certificate has the names that OpenSSL gives it", (context) => {
  const openssl = findProgram("openssl");
  unlessObstacle(context, openssl === undefined ? "openssl is not installed" : undefined);
  const listed = execFileSync(openssl!, ["ciphers", "-V", "-stdname", "ALL"], { encoding: "utf8" });
  const suites = listed
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .map(([, , standard, , name, version]) => ({ standard, name: name!, version }))
    // Without a certificate, or for what no web server offers.
    .filter(({ name }) => !/PSK|SRP|ADH|AECDH|ARIA/.test(name));
  expect(suites.length).toBeGreaterThan(20);
  for (const { standard, name, version } of suites) {
    expect(standardCipherName(name)).toBe(standard);
    expect(cipherVersion(name).replace("TLSv1.0", "TLSv1")).toBe(version);
  }
});

test("a suite that is not known has no standard name", () => {
  expect(standardCipherName("PSK-AES128-CBC-SHA")).toBeUndefined();
  expect(standardCipherName("(NONE)")).toBeUndefined();
});

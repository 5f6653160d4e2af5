/**
 * Certificates in the shapes that front servers hand on: each is read, and what is none is no certificate.
 */
import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { readCertificates } from "../../src/http/certificate.ts";
import { PEM_SHAPES, pem } from "../support/certificates.ts";

const fingerprints = (text: string): string[] =>
  readCertificates(text).map(({ fingerprint256 }) => fingerprint256);
const [client, authority] = [pem("client"), pem("authority")].map(
  (text) => new X509Certificate(text).fingerprint256,
);

describe("a certificate is read", () => {
  test.each(Object.entries(PEM_SHAPES))("%s", (_shape, write) => {
    expect(fingerprints(write(pem("client")))).toEqual([client]);
  });

  test.each(Object.entries(PEM_SHAPES).slice(0, 6))("and so is a chain, %s", (_shape, write) => {
    expect(fingerprints(write(pem("client") + pem("authority")))).toEqual([client, authority]);
  });

  test("among words around it (RFC 7468 §2)", () => {
    expect(fingerprints(`subject=CN = Ann\n${pem("client")}and more\n`)).toEqual([client]);
  });
});

describe("no certificate is read", () => {
  test.each([
    ["from nothing", ""],
    ["from mod_ssl's word for none", "(null)"],
    ["from a word", "NONE"],
    ["from a broken escape", "%zz%"],
    ["from a key", pem("client-key")],
    ["from a certificate cut short", `${pem("client").slice(0, 400)}\n-----END CERTIFICATE-----`],
    ["from a certificate without its end", pem("client").slice(0, 400)],
    [
      "from PEM around what is no Base64",
      "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----",
    ],
    ["from many beginnings", "-----BEGIN CERTIFICATE-----".repeat(5_000)],
  ])("%s", (_what, text) => {
    expect(readCertificates(text)).toEqual([]);
  });

  test("behind one that cannot be read", () => {
    const broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect(fingerprints(pem("client") + broken + pem("authority"))).toEqual([client]);
  });
});

/**
 * A cipher suite as OpenSSL names it → its name in the standards and the oldest TLS version it is for.
 * Suites that authenticate by certificate, the only ones web servers use; node gives both in `getCipher()`.
 */

const SUITE =
  /^(?:(ECDHE|DHE)-(RSA|ECDSA|DSS)-)?(?:(AES|CAMELLIA)(128|256)(?:-(GCM|CCM8|CCM))?|CHACHA20-POLY1305)(?:-(SHA\d*))?$/;

/**
 * `ECDHE-RSA-AES128-GCM-SHA256` → `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256`; a name of TLS 1.3 is the standard's already.
 *
 * @returns undefined for a suite that is not known
 */
export function standardCipherName(name: string): string | undefined {
  if (name.startsWith("TLS_")) return name;
  const match = SUITE.exec(name);
  if (match === null) return undefined;
  const [, exchange, signature, algorithm, bits, mode, hash] = match;
  const keys = exchange === undefined ? "RSA" : `${exchange}_${signature}`;
  if (algorithm === undefined) return `TLS_${keys}_WITH_CHACHA20_POLY1305_SHA256`;
  const words = [
    `TLS_${keys}_WITH`,
    algorithm,
    bits,
    mode?.replace("CCM8", "CCM_8") ?? "CBC",
    hash,
  ];
  return words.filter((word) => word !== undefined).join("_");
}

/** The oldest version of TLS that has the suite, as node names it. */
export function cipherVersion(name: string): string {
  if (name.startsWith("TLS_")) return "TLSv1.3";
  if (/GCM|CCM|POLY1305|SHA256|SHA384/.test(name)) return "TLSv1.2";
  return name.startsWith("ECDHE-") ? "TLSv1.0" : "SSLv3";
}

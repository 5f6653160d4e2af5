/**
 * A certificate in any shape that front servers hand on → node's X509Certificate objects.
 * PEM (RFC 7468) as it is, with a tab before each line (nginx `$ssl_client_cert`), on one line, percent-encoded (nginx
 * `$ssl_client_escaped_cert`), or the Base64 of its DER alone (HAProxy, RFC 9440). It verifies nothing.
 */
import { X509Certificate } from "node:crypto";

/** Base64 holds no hyphen, so a body ends where the next line of hyphens begins. */
const PEM = /-----BEGIN (?:X509 )?CERTIFICATE-----([^-]*)-----END/g;
const NOT_BASE64 = /[^A-Za-z0-9+/]/g;

/** Neither PEM nor Base64 has a `%`. */
function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    // Not percent-encoded after all: what is wrong with it shows below.
    return text;
  }
}

/**
 * Reads certificates.
 *
 * @param text what the front server sent; may hold a chain, the client's own certificate first
 * @returns the certificates in their order, up to the first that cannot be read; empty for no certificate
 */
export function readCertificates(text: string): X509Certificate[] {
  if (text === "") return [];
  const plain = decodePercent(text);
  const bodies = Array.from(plain.matchAll(PEM), (match) => match[1]!);
  const found: X509Certificate[] = [];
  for (const body of bodies.length > 0 ? bodies : [plain]) {
    try {
      found.push(new X509Certificate(Buffer.from(body.replace(NOT_BASE64, ""), "base64")));
    } catch {
      // What cannot be read is no certificate; a chain is of no use behind it.
      break;
    }
  }
  return found;
}

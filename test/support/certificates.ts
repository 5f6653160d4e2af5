/**
 * The fixed certificates of test/support/tls, which make.sh made → their paths and texts.
 *
 * `client` and `server` are the authority's, `stranger` is nobody's. Their keys lie beside them and protect nothing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What lies in the folder. */
export type CertificateName =
  | "authority"
  | "server"
  | "server-key"
  | "client"
  | "client-key"
  | "stranger"
  | "stranger-key";

/** Path of a PEM file. */
export function pemPath(name: CertificateName): string {
  return join(import.meta.dirname, "tls", `${name}.pem`);
}

/** Text of a PEM file. */
export function pem(name: CertificateName): string {
  return readFileSync(pemPath(name), "utf8");
}

/** Subject of the certificate `client`, as node gives it. */
export const CLIENT_SUBJECT: Readonly<Record<string, string | string[]>> = {
  C: "JP",
  O: "Postern Tests",
  OU: ["First", "Second"],
  CN: "Ann Müller",
};

/** A certificate as each front server writes it. */
export const PEM_SHAPES: Readonly<Record<string, (text: string) => string>> = {
  "as it is (Apache, lighttpd, nginx $ssl_client_raw_cert)": (text) => text,
  "with a tab before each line but the first (nginx $ssl_client_cert)": (text) =>
    text.trimEnd().replaceAll("\n", "\n\t"),
  "percent-encoded (nginx $ssl_client_escaped_cert)": (text) => encodeURIComponent(text),
  "with CR LF": (text) => text.replaceAll("\n", "\r\n"),
  "on one line, blanks for line ends": (text) => text.trimEnd().replaceAll("\n", " "),
  "on one line, nothing for line ends": (text) => text.replaceAll("\n", ""),
  "the Base64 of its DER alone (HAProxy ssl_c_der,base64)": (text) =>
    text.replace(/-----[^-]+-----|\n/g, ""),
  "Base64 between colons (RFC 9440)": (text) => `:${text.replace(/-----[^-]+-----|\n/g, "")}:`,
};

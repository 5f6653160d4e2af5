/**
 * Request headers by which a client may try to be somebody else.
 *
 * Names that programs, proxies and front servers know identities by; that none of them counts is the tests' to show.
 */
import { pem } from "./certificates.ts";

/** Names that programs and front servers know identities by, each with a word that would make a difference. */
const FORGED: Readonly<Record<string, string>> = {
  "X-Forwarded-For": "6.6.6.6",
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Protocol": "https",
  "X-Forwarded-Ssl": "on",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Port": "666",
  "X-Forwarded-User": "root",
  Forwarded: "for=6.6.6.6;proto=https;host=evil.example",
  "X-Real-Ip": "6.6.6.6",
  "X-Client-Ip": "6.6.6.6",
  "X-Url-Scheme": "https",
  "Front-End-Https": "on",
  "X-Remote-User": "root",
  "Remote-User": "root",
  "Auth-Type": "Basic",
  "Remote-Addr": "6.6.6.6",
  "Remote-Port": "666",
  "Server-Addr": "6.6.6.6",
  "Server-Port": "666",
  "Request-Scheme": "https",
  Https: "on",
  "Ssl-Protocol": "TLSv1.3",
  "Ssl-Cipher": "TLS_AES_256_GCM_SHA384",
  "Ssl-Session-Id": "0666",
  "Ssl-Client-Verify": "SUCCESS",
  "X-Ssl-Client-Verify": "SUCCESS",
  "X-Ssl-Client-Cert": encodeURIComponent(pem("stranger")),
  "Ssl-Client-Cert": encodeURIComponent(pem("stranger")),
  "X-Client-Cert": encodeURIComponent(pem("stranger")),
  "Ssl-Client-S-Dn": "CN=root",
  "Ajp-Remote-Port": "666",
  "Ajp-Local-Addr": "6.6.6.6",
  "Ajp-Ssl-Protocol": "TLSv1.3",
};

const capitals = (name: string): string => name.toUpperCase().replaceAll("-", "_");
const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  capitals,
  (name) => capitals(name).toLowerCase(),
  (name) => `HTTP_${capitals(name)}`,
];

/** Headers of one request each: every name as it is, and in the spellings of variables. */
export const FORGED_SPELLINGS: readonly Readonly<Record<string, string>>[] = Object.entries(
  FORGED,
).flatMap(([name, value]) => SPELLINGS.map((spell) => ({ [spell(name)]: value })));

/** The same, all names of a spelling in one request. */
export const FORGED_REQUESTS: readonly Readonly<Record<string, string>>[] = SPELLINGS.map((spell) =>
  Object.fromEntries(Object.entries(FORGED).map(([name, value]) => [spell(name), value])),
);

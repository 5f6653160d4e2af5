/**
 * The stand-in for `req.socket` of a client that came by TLS: what the front server says, in the words of tls.TLSSocket.
 * Everything is read when it is asked for. What only an end of the TLS connection itself can know (session data, Finished
 * messages, keying material) is answered as node answers where there is none, or not there. node:tls, class TLSSocket.
 */
import type { X509Certificate } from "node:crypto";
import type { Server } from "node:http";
import type { CipherNameAndProtocol, PeerCertificate } from "node:tls";
import { readCertificates } from "../../http/certificate.ts";
import type { TlsFacts } from "../../http/head.ts";
import type { Carrier } from "../carrier.ts";
import { cipherVersion, standardCipherName } from "./cipher-names.ts";
import { ClientSocket, type SocketOwner } from "./socket.ts";

/** Reasons as OpenSSL words them, behind `FAILED:`, and the codes that node has for them. */
const VERIFY_CODES: ReadonlyMap<string, string> = new Map([
  ["self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["self signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ["self-signed certificate in certificate chain", "SELF_SIGNED_CERT_IN_CHAIN"],
  ["self signed certificate in certificate chain", "SELF_SIGNED_CERT_IN_CHAIN"],
  ["unable to get issuer certificate", "UNABLE_TO_GET_ISSUER_CERT"],
  ["unable to get local issuer certificate", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
  ["unable to verify the first certificate", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
  ["certificate has expired", "CERT_HAS_EXPIRED"],
  ["certificate is not yet valid", "CERT_NOT_YET_VALID"],
  ["certificate revoked", "CERT_REVOKED"],
]);

type LegacyCertificate = PeerCertificate & { issuerCertificate?: LegacyCertificate };

/** node's object for a certificate, `{}` where there is none. Node 20's types do not know the method's result. */
function legacyObject(certificate: X509Certificate | undefined): LegacyCertificate {
  return (certificate?.toLegacyObject() ?? {}) as LegacyCertificate;
}

/** The same with each issuer that was sent along; a root is its own issuer, as in node. */
function legacyChain(chain: readonly X509Certificate[]): LegacyCertificate {
  const objects = chain.map(legacyObject);
  for (const [i, object] of objects.entries()) {
    const issuer = objects[i + 1];
    const isRoot = issuer === undefined && chain[i]!.checkIssued(chain[i]!);
    if (issuer !== undefined) object.issuerCertificate = issuer;
    else if (isRoot) object.issuerCertificate = object;
  }
  return objects[0] ?? legacyObject(undefined);
}

/** One request's socket, of a client that came by TLS. */
export class TlsClientSocket extends ClientSocket {
  readonly #facts: TlsFacts;
  #chain: readonly X509Certificate[] | undefined;

  constructor(carrier: Carrier, owner: SocketOwner, server: Server, facts: TlsFacts) {
    super(carrier, owner, server);
    this.#facts = facts;
  }

  get #peerChain(): readonly X509Certificate[] {
    this.#chain ??= readCertificates(this.#facts.clientCertificate);
    return this.#chain;
  }

  override get encrypted(): boolean {
    return true;
  }

  override get authorized(): boolean {
    return this.#facts.clientVerify === "SUCCESS";
  }

  /** Why a certificate that was shown is not `authorized`; null for none, and for a good one. */
  get authorizationError(): string | null {
    const { clientVerify, clientCertificate } = this.#facts;
    if (clientVerify === "SUCCESS") return null;
    if (clientVerify.startsWith("FAILED")) {
      const reason = clientVerify.slice("FAILED:".length);
      return VERIFY_CODES.get(reason) ?? (reason || "CERT_UNTRUSTED");
    }
    // A certificate about which nothing, or nothing good, is said must not look like one that nobody asked for.
    return clientCertificate === "" ? null : "CERT_UNTRUSTED";
  }

  /** Host name that the client asked for; false for none, as in node. */
  get servername(): string | false {
    return this.#facts.serverName || false;
  }

  /** The front server's agreement is its own: no protocol was agreed on with us. */
  get alpnProtocol(): false {
    return false;
  }

  /**
   * The client's certificate as node's object.
   *
   * @param detailed with `issuerCertificate`, as far as the front server sent the chain along
   * @returns an empty object without a certificate
   */
  getPeerCertificate(detailed = false): PeerCertificate {
    const chain = this.#peerChain;
    return detailed ? legacyChain(chain) : legacyObject(chain[0]);
  }

  getPeerX509Certificate(): X509Certificate | undefined {
    return this.#peerChain[0];
  }

  /** The front server's own certificate, where it sends it; `{}` otherwise. */
  getCertificate(): PeerCertificate {
    return legacyObject(this.getX509Certificate());
  }

  getX509Certificate(): X509Certificate | undefined {
    return readCertificates(this.#facts.serverCertificate)[0];
  }

  /** Cipher suite; undefined when the front server does not say. */
  getCipher(): CipherNameAndProtocol | undefined {
    const { cipher } = this.#facts;
    if (cipher === "") return undefined;
    const standardName = standardCipherName(cipher) ?? cipher;
    return { name: cipher, standardName, version: cipherVersion(cipher) };
  }

  /** `TLSv1.3`; null when the front server does not say. */
  getProtocol(): string | null {
    return this.#facts.protocol || null;
  }

  isSessionReused(): boolean {
    return this.#facts.resumed;
  }

  getSession(): undefined {
    return undefined;
  }
  getTLSTicket(): undefined {
    return undefined;
  }
  getFinished(): undefined {
    return undefined;
  }
  getPeerFinished(): undefined {
    return undefined;
  }
  getEphemeralKeyInfo(): null {
    return null;
  }
  getSharedSigalgs(): string[] {
    return [];
  }
  /** The front server's connection is out of reach: nothing is begun. */
  renegotiate(): false {
    return false;
  }
  setMaxSendFragment(): false {
    return false;
  }
  disableRenegotiation(): void {}
  enableTrace(): void {}
}

/** The socket of a request, by how its client came. */
export function createClientSocket(
  carrier: Carrier,
  owner: SocketOwner,
  server: Server,
): ClientSocket {
  const { tls } = carrier.head;
  return tls === undefined
    ? new ClientSocket(carrier, owner, server)
    : new TlsClientSocket(carrier, owner, server, tls);
}

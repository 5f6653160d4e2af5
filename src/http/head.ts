/**
 * What a request and a response are once no wire is left in them.
 * These shapes carry no behaviour; readers of protocols fill them, handlers and encoders use them.
 * Header names and values are latin1 strings, as in node:http.
 */
import type { Identified } from "./request-id.ts";
import type { ValueCells } from "./value-cells.ts";

/** Protocols that carry a request to us. */
export type ProtocolName = "fastcgi" | "scgi" | "ajp" | "http";

/** Role of a request (FastCGI §6); SCGI and AJP requests are responders. */
export type RoleName = "responder" | "authorizer" | "filter";

/** What the peer says about the TLS connection of the client. Present only if the client came by TLS. */
export interface TlsFacts {
  /** `TLSv1.3`, or "" when the peer does not say. */
  readonly protocol: string;
  readonly cipher: string;
  /** Session id as the peer writes it. */
  readonly session: string;
  /** Key size in bits, or 0. */
  readonly keyBits: number;
  /** The client's certificate as the peer writes it, PEM in one of its shapes, or "". */
  readonly clientCertificate: string;
  /** What the peer found: `SUCCESS`, `NONE`, `GENEROUS`, `FAILED:` and the reason, or "" when it does not say. */
  readonly clientVerify: string;
  /** Host name that the client asked for (SNI), or "". */
  readonly serverName: string;
  /** The front server's own certificate as it writes it, or "". */
  readonly serverCertificate: string;
  /** Was the session taken up again, as far as the peer says? */
  readonly resumed: boolean;
}

/** A request's head, whole and checked. */
export interface RequestHead extends Identified {
  /** A token, in its case: `GET`. */
  readonly method: string;
  /** Always a valid request target: a path with query, never empty, or `*`. */
  readonly url: string;
  /** `1.0`, `1.1`, `2.0` or `3.0`; 1.1 when the peer does not say. */
  readonly httpVersion: string;
  /** Names and values in turn, as node's `rawHeaders`; hop-by-hop fields and `proxy` are not among them. */
  readonly rawHeaders: string[];
  /**
   * Names and values in turn, `Upgrade` first, where the client asks to switch protocols; empty otherwise. They are
   * hop-by-hop and join `rawHeaders` only where somebody listens for "upgrade" and the way can carry one.
   */
  readonly upgradeFields: readonly string[];
  readonly scriptName: string;
  readonly pathInfo: string;
  /** Value of the first field with this id of field-names.ts that is not empty, or "". */
  find(id: number): string;
  /**
   * Writes where the wanted values are, for those that copy them without making strings of them.
   *
   * @returns the text that holds them
   */
  locate?(values: ValueCells): string;
  /** Every variable as the peer sent it; null prototype. AJP: the CGI names of what its packet says. */
  readonly params: Readonly<Record<string, string>>;
  /** AJP request attributes that the options allow; null prototype, empty elsewhere. */
  readonly attributes: Readonly<Record<string, string>>;
  /** "" when there is none, or the peer is not believed (`trust.user`); the same for `authType`. */
  readonly remoteUser: string;
  readonly authType: string;
  /** Undefined when the client came without TLS, or the peer is not believed (`trust.tls`). */
  readonly tls: TlsFacts | undefined;
  readonly remoteAddress: string;
  /** 0 when unknown. */
  readonly remotePort: number;
  readonly localAddress: string;
  /** 0 when unknown. */
  readonly localPort: number;
}

/** Bytes of a body; a string is latin1 text, each of its characters one byte. */
export type BodyPiece = Uint8Array | string;

/** A response's head, checked and without hop-by-hop fields. */
export interface ResponseHead {
  /** 200 to 599; 101 for an accepted upgrade. */
  readonly status: number;
  /** Reason phrase, never empty. */
  readonly reason: string;
  /** Names and values in turn. */
  readonly fields: readonly string[];
  /** Value of the Content-Length among them, or −1. */
  readonly contentLength: number;
}

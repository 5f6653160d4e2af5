/**
 * What a peer says of its client's identity → what is believed, by the `trust` options.
 * It reads variables by their CGI names (mod_ssl's for TLS) and never a name with HTTP_, which is the client's own word.
 * It verifies nothing: whoever may connect is the web server (docs/security.md).
 */
import type { TlsFacts } from "./head.ts";

/** Which of the peer's words are believed. */
export interface IdentityPolicy {
  /** User and authentication scheme. */
  readonly user: boolean;
  /** TLS and the client's certificate. */
  readonly tls: boolean;
}

/** Whoever has a request's variables, by CGI name. */
export interface VariableSource {
  readonly params: Readonly<Record<string, string>>;
}

/** nginx's three shapes, where somebody gave each its own name. */
const CERTIFICATE_NAMES = ["SSL_CLIENT_CERT", "SSL_CLIENT_RAW_CERT", "SSL_CLIENT_ESCAPED_CERT"];

/** Value of a variable; nginx configurations also pass on variables under nginx's own names, in lower case. */
function variable(source: VariableSource, name: string): string {
  return source.params[name] || source.params[name.toLowerCase()] || "";
}

/** TLS of one client; each fact is looked up when it is asked for. */
export class ClientTls implements TlsFacts {
  readonly #source: VariableSource;

  constructor(source: VariableSource) {
    this.#source = source;
  }

  get protocol(): string {
    return variable(this.#source, "SSL_PROTOCOL");
  }
  get cipher(): string {
    return variable(this.#source, "SSL_CIPHER");
  }
  get session(): string {
    return variable(this.#source, "SSL_SESSION_ID");
  }
  get keyBits(): number {
    return Number(variable(this.#source, "SSL_CIPHER_USEKEYSIZE")) || 0;
  }
  get clientCertificate(): string {
    for (const name of CERTIFICATE_NAMES) {
      const text = variable(this.#source, name);
      if (text !== "") return text;
    }
    return "";
  }
  get clientVerify(): string {
    return variable(this.#source, "SSL_CLIENT_VERIFY");
  }
  get serverName(): string {
    return variable(this.#source, "SSL_TLS_SNI") || variable(this.#source, "SSL_SERVER_NAME");
  }
  get serverCertificate(): string {
    return variable(this.#source, "SSL_SERVER_CERT");
  }
  get resumed(): boolean {
    return (
      variable(this.#source, "SSL_SESSION_RESUMED") === "Resumed" ||
      variable(this.#source, "SSL_SESSION_REUSED") === "r"
    );
  }

  /** As an ordinary object, for logs. */
  toJSON(): TlsFacts {
    const { protocol, cipher, session, keyBits, clientCertificate, clientVerify } = this;
    const { serverName, serverCertificate, resumed } = this;
    return {
      protocol,
      cipher,
      session,
      keyBits,
      clientCertificate,
      clientVerify,
      serverName,
      serverCertificate,
      resumed,
    };
  }
}

/**
 * An HTTPS request to a front server, with a certificate of test/support/tls → the answer, and what the client's own end
 * of the TLS connection knows.
 *
 * One connection for each request. Knows nothing of gateways, and judges nothing.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { pem } from "../certificates.ts";

/** What is asked. */
export interface TlsQuestion {
  readonly port: number;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whose certificate is shown; undefined: none. */
  readonly shown?: "client" | "stranger" | undefined;
  /** Address to ask from, so that it can be told from all others. */
  readonly from?: string;
}

/** The answer, and the client's end. */
export interface TlsAnswer {
  readonly status: number;
  readonly text: string;
  /** The port that the client asked from. */
  readonly localPort: number;
  readonly protocol: string | null;
  readonly cipher: ReturnType<TLSSocket["getCipher"]>;
}

/** Asks a front server of this machine, whose certificate has to be the authority's, for localhost. */
export async function askByTls(question: TlsQuestion): Promise<TlsAnswer> {
  const { port, path = "/", headers = {}, shown, from = "127.0.0.1" } = question;
  // node hands localAddress on to net.connect; its types do not know.
  const options: ConnectionOptions & { localAddress: string } = {
    host: "127.0.0.1",
    port,
    localAddress: from,
    servername: "localhost",
    ca: pem("authority"),
    ...(shown === undefined ? {} : { cert: pem(shown), key: pem(`${shown}-key`) }),
  };
  const socket = connect(options);
  try {
    await once(socket, "secureConnect");
    const asked = request({
      method: "GET",
      path,
      headers: { Host: `localhost:${port}`, Connection: "close", ...headers },
      createConnection: () => socket,
    });
    asked.setTimeout(20_000, () => asked.destroy(new Error("no byte for too long")));
    asked.end();
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const [localPort, protocol, cipher] = [
      socket.localPort ?? 0,
      socket.getProtocol(),
      socket.getCipher(),
    ];
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk as string;
    return { status: response.statusCode ?? 0, text, localPort, protocol, cipher };
  } finally {
    socket.destroy();
  }
}

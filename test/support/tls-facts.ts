/**
 * What a request's socket says of TLS, read in one place, from node's own socket and from ours alike.
 *
 * node's is asked over a real TLS connection to a server of this process. Judges nothing: tests compare.
 */
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import type { PeerCertificate, TLSSocket } from "node:tls";
import { pem } from "./certificates.ts";

/** Everything that tls.TLSSocket says and that a front server can know as well. */
export interface SocketTls {
  readonly encrypted: boolean;
  readonly authorized: boolean;
  readonly authorizationError: unknown;
  readonly protocol: string | null;
  readonly cipher: unknown;
  readonly certificate: PeerCertificate;
  readonly chain: PeerCertificate;
  readonly fingerprint: string | undefined;
  readonly isSessionReused: boolean;
  readonly ephemeralKey: unknown;
  readonly alpnProtocol: unknown;
}

/** Reads a socket that came by TLS. */
export function socketTls(req: IncomingMessage): SocketTls {
  const socket = req.socket as TLSSocket;
  return {
    encrypted: socket.encrypted,
    authorized: socket.authorized,
    authorizationError: socket.authorizationError,
    protocol: socket.getProtocol(),
    cipher: socket.getCipher(),
    certificate: socket.getPeerCertificate(),
    chain: socket.getPeerCertificate(true),
    fingerprint: socket.getPeerX509Certificate()?.fingerprint256,
    isSessionReused: socket.isSessionReused(),
    ephemeralKey: socket.getEphemeralKeyInfo(),
    alpnProtocol: socket.alpnProtocol,
  };
}

/** Who shows a certificate to node's server; undefined: it asks for none. */
export type Shown = "client" | "stranger" | undefined;

/**
 * What node's own server says of a client.
 *
 * @param ciphers one suite; of TLS 1.2 unless its name begins with TLS_
 */
export async function nodeTls(
  shown: Shown,
  ciphers = "TLS_AES_256_GCM_SHA384",
): Promise<SocketTls> {
  let seen: SocketTls | undefined;
  const version = ciphers.startsWith("TLS_") ? "TLSv1.3" : "TLSv1.2";
  const server = createServer(
    {
      key: pem("server-key"),
      cert: pem("server"),
      ca: pem("authority"),
      requestCert: shown !== undefined,
      rejectUnauthorized: false,
      minVersion: version,
      maxVersion: version,
      ciphers,
    },
    (req, res) => {
      seen = socketTls(req);
      res.end();
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const own = shown === undefined ? {} : { cert: pem(shown), key: pem(`${shown}-key`) };
  const asked = request({ host: "127.0.0.1", port, ca: pem("authority"), agent: false, ...own });
  asked.end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  server.close();
  return seen!;
}

/**
 * The options that come in groups: deadlines, trust, AJP, SCGI.
 *
 * Only types and their meaning; serve/options.ts puts them together, option-table.ts has their ranges and defaults.
 */

/** Deadlines, in milliseconds, whole numbers from 0 to 2_147_483_647; 0 switches one off. */
export interface TimeoutOptions {
  /**
   * For a request head to be complete, from its first byte. Over it: ERR_TIMEOUT_HEAD, status 408.
   *
   * @default 10_000 — a web server sends a head in one piece, so more is an attack or a dead line
   */
  head?: number | undefined;
  /**
   * Between two pieces of a request body while the handler waits for more. Over it: ERR_TIMEOUT_BODY, status 408.
   *
   * @default 60_000 — what nginx and lighttpd grant a client
   */
  body?: number | undefined;
  /**
   * For the peer to take any byte of a response that waits. Over it: ERR_TIMEOUT_WRITE, and the connection ends.
   *
   * @default 60_000 — as nginx
   */
  write?: number | undefined;
  /**
   * Between two requests of a kept connection, which then is closed.
   *
   * @default 75_000 — longer than nginx's 60 s, since the side that sends requests has to be the one that closes
   */
  idle?: number | undefined;
  /**
   * For a whole request, from its head to the end of its response.
   *
   * @default 0 — no limit: only the application knows how long its work takes
   */
  request?: number | undefined;
  /**
   * Since the front server got the request, as it says in X-Request-Start (nginx:
   * `fastcgi_param HTTP_X_REQUEST_START "t=${msec}"`), until it can run here. Older ones are answered 503 unseen: their
   * client has given up. ERR_TIMEOUT_QUEUE.
   *
   * @default 0 — off
   */
  queue?: number | undefined;
  /**
   * How long a request may take before `slowLog` has it. It is not ended by that.
   *
   * @default 1_000 — visitors notice a second
   */
  slow?: number | undefined;
  /**
   * For running requests to finish once the server stops.
   *
   * @default 30_000 — below the 90 s after which systemd kills
   */
  drain?: number | undefined;
  /**
   * For handlers to clean up whose requests are aborted after `drain`; then the command ends its process.
   *
   * @default 5_000
   */
  kill?: number | undefined;
}

/** Who may connect, and what of their word is believed. Only web servers should be able to. */
export interface TrustOptions {
  /**
   * Addresses and subnets of the web servers: `192.0.2.10`, `2001:db8::/32`. Peers on unix sockets pass, as the
   * file's permissions are their check. FCGI_WEB_SERVER_ADDRS in the environment narrows the list further.
   *
   * @default undefined — everybody who reaches the address, which is this machine only unless `allowRemote` is set
   */
  peers?: readonly string[] | undefined;
  /**
   * Lets a TCP address be opened that other machines reach; `peers` is needed as well, or for AJP alone a secret.
   *
   * @default false — a gateway port open to everybody is a machine open to everybody
   */
  allowRemote?: boolean | undefined;
  /**
   * Takes over the user whom the web server names (REMOTE_USER, AUTH_TYPE). `false` leaves `req.gateway.remoteUser`
   * and `authType` undefined; `req.gateway.params` still has what was sent.
   *
   * @default true — the peer is the web server
   */
  user?: boolean | undefined;
  /**
   * Takes over what the web server says of TLS (HTTPS, REQUEST_SCHEME, SSL_*). `false` leaves `req.gateway.tls`
   * undefined, `req.socket` without certificate and unencrypted, and the scheme http; `req.gateway.params` still has
   * what was sent.
   *
   * @default true — the peer is the web server
   */
  tls?: boolean | undefined;
}

/** AJP 1.3. */
export interface AjpOptions {
  /**
   * The secret that every request has to carry, at least 16 bytes. Needed on TCP. Only its SHA-256 is kept.
   * `POSTERN_AJP_SECRET` in the environment does the same; on a command line everybody on the machine can read it.
   *
   * @default undefined — none, which is allowed on unix sockets only
   */
  secret?: string | undefined;
  /**
   * File that holds the secret; line ends at its end do not count. `POSTERN_AJP_SECRET_FILE` does the same.
   *
   * @default undefined
   */
  secretFile?: string | undefined;
  /**
   * Largest packet in bytes, header included, 8_192 to 65_536. Has to be what the web server has
   * (`ProxyIOBufferSize`, `max_packet_size`).
   *
   * @default 8_192 — as the protocol says, and all servers unless told otherwise
   */
  packetSize?: number | undefined;
  /**
   * Names of request attributes that may pass, beside the known ones; has to match the whole name. A request with
   * any other is refused with status 403.
   *
   * @default undefined — no other, since applications have been attacked through them
   */
  attributes?: RegExp | undefined;
  /**
   * Takes body packets without an inner length, as lighttpd sends them; then all of them are taken so.
   *
   * @default false — as the protocol says
   */
  rawBody?: boolean | undefined;
}

/** SCGI. */
export interface ScgiOptions {
  /**
   * Keeps to the letter of the specification: CONTENT_LENGTH first, `SCGI` = 1, no name twice.
   *
   * @default false — real web servers deviate
   */
  strict?: boolean | undefined;
}

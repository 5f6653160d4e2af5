/**
 * A failed attempt to listen → one sentence that says where, why and what to do about it.
 *
 * Listens to nothing itself. The system's own error stays as `cause`. Codes: bind(2), listen(2), getaddrinfo(3).
 */
import { UsageError } from "../errors.ts";

/** Code of the error when another program holds the TCP port. */
export const ERR_PORT_IN_USE = "ERR_PORT_IN_USE";
/** Code of the error when a descriptor is no socket that can listen. */
export const ERR_NOT_LISTENING = "ERR_NOT_LISTENING";

/** The system's name of an error, such as EADDRINUSE; "" where it has none. */
export function systemCode(error: unknown): string {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? code : "";
}

/** `host:port`, with brackets around an IPv6 address. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Explains why a TCP address could not be opened. */
export function tcpFailure(host: string, port: number, cause: unknown): UsageError {
  const code = systemCode(cause);
  const where = `Port ${port} of host ${JSON.stringify(host)}`;
  const name = JSON.stringify(host);
  switch (code) {
    case "EADDRINUSE":
      return new UsageError(
        `${where} is in use by another program; stop that one or choose another port.`,
        ERR_PORT_IN_USE,
        { cause },
      );
    case "EACCES":
    case "EPERM":
      return usage(`${where} may not be opened by this user; choose a port above 1023.`, cause);
    case "EADDRNOTAVAIL":
      return usage(`Host ${name} is not an address of this machine; choose one that is.`, cause);
    case "EAFNOSUPPORT":
      return usage(
        `Host ${name} is of a kind that this machine has switched off; choose another.`,
        cause,
      );
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return usage(
        `Host ${name} has no address (${code}); check the name or give a number.`,
        cause,
      );
    default:
      return usage(`${where} cannot be opened (${reason(cause)}); choose another address.`, cause);
  }
}

/** Explains why a socket file could not be made. */
export function unixFailure(path: string, cause: unknown): UsageError {
  const where = `Socket ${JSON.stringify(path)} cannot be made`;
  switch (systemCode(cause)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return usage(`${where}: its folder may not be written by this user; choose another.`, cause);
    case "ENOENT":
      return usage(`${where}: its folder does not exist; create it or choose another.`, cause);
    case "ENAMETOOLONG":
      return usage(`${where}: its path is too long; choose a shorter one.`, cause);
    default:
      return usage(`${where} (${reason(cause)}); choose another path.`, cause);
  }
}

/** Explains why a descriptor could not be served. */
export function descriptorFailure(fd: number, cause: unknown): UsageError {
  const code = systemCode(cause);
  const what = {
    EINVAL: "is not a socket that waits for connections",
    ENOTSOCK: "is not a socket",
    EBADF: "is not open",
    EADDRINUSE: "is a socket that another one shuts out",
  }[code];
  return new UsageError(
    `fd ${fd} ${what ?? `cannot be listened on (${reason(cause)})`}; pass a listening socket, or give socket or port.`,
    ERR_NOT_LISTENING,
    { cause },
  );
}

function usage(sentence: string, cause: unknown): UsageError {
  return new UsageError(sentence, "ERR_USAGE", { cause });
}

function reason(cause: unknown): string {
  return systemCode(cause) || (cause instanceof Error ? cause.message : String(cause));
}

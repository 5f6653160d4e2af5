/**
 * The option `status` → where to listen for questions about it.
 *
 * Only this machine and, on a unix socket, only its owner: a status names paths and users of requests. Opens nothing.
 */
import { UsageError } from "../errors.ts";
import { isLoopback } from "../server/reach.ts";

/** Options of a server that listens there. */
export type StatusAddress =
  | { readonly socket: string; readonly mode: number }
  | { readonly host: string; readonly port: number };

/** Of its socket file. */
const MODE = 0o600;

/**
 * Reads where the status is served.
 *
 * @param text a path with a slash in it, `9100`, `127.0.0.1:9100` or `[::1]:9100`
 * @throws UsageError for anything else, and for an address that other machines reach
 */
export function readStatusAddress(text: string): StatusAddress {
  if (text.includes("/")) return { socket: text, mode: MODE };
  const match = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(text);
  if (match === null || Number(match[3]) > 65_535) {
    throw new UsageError(
      `status is ${JSON.stringify(text)}; it takes the path of a unix socket, with a slash in it, or HOST:PORT of this machine.`,
    );
  }
  const host = match[1] ?? match[2] ?? "127.0.0.1";
  if (!isLoopback(host)) {
    throw new UsageError(
      `status is ${JSON.stringify(text)}, which other machines reach; give 127.0.0.1, ::1 or a unix socket, and put a web ` +
        "server in front of it.",
    );
  }
  return { host, port: Number(match[3]) };
}

/** @throws UsageError as {@link readStatusAddress} */
export function checkStatusAddress(text: string): void {
  readStatusAddress(text);
}

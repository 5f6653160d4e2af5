/**
 * An "upgrade" listener threw → an answer in its place, where it has written none.
 * It says what every failed request is told, in the form that such listeners write: HTTP/1.1.
 */
import type { UpgradeSocket } from "../handler/node/upgrade.ts";

const ANSWER =
  "HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n" +
  "Content-Length: 26\r\n\r\n500 Internal Server Error\n";

/** Ends such a request. */
export function failUpgrade(socket: UpgradeSocket): void {
  if (socket.bytesWritten > 0) socket.destroy();
  else socket.end(ANSWER);
}

/**
 * A server that listens → the one line that says so: version, protocols, address, engine and why, process.
 *
 * Prints nothing itself; the command and `postern/register` do, on stderr.
 */
import type { Server } from "../server/server.ts";
import { readVersion } from "./version.ts";

function transportOf(server: Server): string {
  const { transport } = server;
  return transport === undefined ? "" : `, transport ${transport.name} (${transport.reason})`;
}

/**
 * The start line, without a line end.
 *
 * @param pid   id of this process
 * @param notes what else there is to say, in whole sentences
 */
export function startLine(server: Server, pid: number, notes: readonly string[] = []): string {
  const { name, reason } = server.engine;
  const sentences = server.note === undefined ? notes : [server.note, ...notes];
  const facts =
    `postern ${readVersion()}: ${server.protocols.join("+")} on ${server.where}, ` +
    `engine ${name} (${reason})${transportOf(server)}, pid ${pid}`;
  return sentences.length === 0 ? facts : `${facts}. ${sentences.join(" ")}`;
}

/**
 * Who can reach an address → which protocols may be answered there, or a refusal to start.
 *
 * Every gateway protocol believes its peer: who reaches the port names any user, any client address. So a TCP port
 * needs the permissions below, and AJP on TCP a secret (reliability X-4). Opens nothing; listen.ts asks before it does.
 */
import { isIP } from "node:net";
import { UsageError } from "../errors.ts";
import type { ProtocolName } from "../http/head.ts";
import type { ResolvedOptions } from "./settings.ts";

/** The options that decide. */
export type ReachOptions = Pick<ResolvedOptions, "protocols" | "auto" | "trust" | "ajp" | "note">;

/** What may be answered at an address. */
export interface Reach {
  readonly protocols: readonly ProtocolName[];
  /** What the start line has to add; undefined: nothing. */
  readonly note: string | undefined;
}

/** How to give the secret; part of two sentences. */
const SECRET_REMEDY =
  "set ajp.secretFile or POSTERN_AJP_SECRET_FILE to a file with at least 16 bytes " +
  "(ajp.secret and POSTERN_AJP_SECRET hold it directly), or listen on a unix socket";

/** Whether only this machine reaches a host: 127.0.0.0/8, ::1 and localhost. Other names count as remote. */
export function isLoopback(host: string): boolean {
  const address = host.toLowerCase().replace(/^::ffff:(?=\d+\.)/, "");
  if (isIP(address) === 4) return address.startsWith("127.");
  return address === "::1" || address === "localhost" || address === "localhost.";
}

/** Whether a host says by itself who reaches it; another name does once it is resolved. */
export function tellsReach(host: string): boolean {
  return isIP(host) !== 0 || isLoopback(host);
}

function checkRemote(options: ReachOptions, host: string): void {
  const { peers, webServerAddresses, allowRemote } = options.trust;
  const listed = (peers ?? webServerAddresses) !== undefined;
  const secretive =
    options.ajp.secretHash !== undefined && options.protocols.every((name) => name === "ajp");
  if (allowRemote && (listed || secretive)) return;
  const missing = [
    ...(allowRemote ? [] : ["trust.allowRemote"]),
    ...(listed || secretive ? [] : ["trust.peers with the addresses of the web servers"]),
  ];
  throw new UsageError(
    `Host ${JSON.stringify(host)} can be reached from other machines, and whoever reaches it is believed; ` +
      `set ${missing.join(" and ")}, or listen on 127.0.0.1 or a unix socket.`,
  );
}

/**
 * Says which protocols may be answered at an address.
 *
 * @param options what was asked for
 * @param host    the TCP host; undefined for a unix socket, where the file's permissions are the check
 * @throws UsageError when the address may not be opened at all
 */
export function reachOf(options: ReachOptions, host: string | undefined): Reach {
  const { protocols, note } = options;
  if (host === undefined) return { protocols, note };
  if (!isLoopback(host)) checkRemote(options, host);
  if (!protocols.includes("ajp") || options.ajp.secretHash !== undefined)
    return { protocols, note };
  if (!options.auto) {
    throw new UsageError(
      `protocol "ajp" on TCP host ${JSON.stringify(host)} needs a secret; ${SECRET_REMEDY}.`,
    );
  }
  const left = "AJP is left out, since it needs a secret on TCP (ajp.secretFile).";
  return {
    protocols: protocols.filter((name) => name !== "ajp"),
    note: note === undefined ? left : `${note} ${left}`,
  };
}

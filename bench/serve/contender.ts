/**
 * What a server is to the bench: what it speaks, what it can serve, and the command that starts it.
 */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a server is to listen. */
export type Address =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number };

/** The applications of programs/handlers.mjs. */
export type HandlerName = "hello" | "set-header" | "fetch" | "express" | "fastify" | "hono";

/** Where and what a contender is to serve. */
export interface Task {
  readonly address: Address;
  readonly handler: HandlerName;
  /** A folder of this server's own. */
  readonly folder: string;
  /** AJP. */
  readonly packetBytes: number;
  /** FastCGI: several requests at once come on a connection. */
  readonly multiplex: boolean;
  /** postern shows its status. */
  readonly metrics?: boolean;
  /** postern writes an access log; undefined: none. */
  readonly accessFormat?: string;
}

/** A command; its process must stay in the foreground. */
export interface Command {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** It prints `listening …`; else it is asked by connecting. */
  readonly says: boolean;
}

/** One server that can be measured. */
export interface Contender {
  /** Also what `--peer` compares with: its beginning. */
  readonly name: string;
  readonly protocol: "http" | "fastcgi" | "scgi" | "ajp";
  readonly handlers: readonly HandlerName[];
  readonly overs: readonly ("unix" | "tcp")[];
  /** It serves no more connections at a time. */
  readonly connectionsMax?: number;
  /** It closes every connection after one response. */
  readonly closes?: boolean;
  /** CPU time is in its children, too. */
  readonly children?: boolean;
  /** Words of the load generator that this one needs. */
  readonly load?: readonly string[];
  /** And over TCP only. */
  readonly tcpLoad?: readonly string[];
  /** Why it cannot serve this here, as half a sentence, or undefined. */
  missing(handler: HandlerName): string | undefined;
  /** Makes what it needs in the task's folder. */
  command(task: Task): Command;
}

/** Absolute path of a program, or undefined; also looks where servers lie that users lack in PATH. */
export function which(name: string): string | undefined {
  const folders = `${process.env["PATH"] ?? ""}${delimiter}/usr/local/sbin${delimiter}/usr/sbin`;
  for (const folder of folders.split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** A missing program, as half a sentence. */
export function needs(...names: readonly string[]): string | undefined {
  const missing = names.filter((name) => which(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(" and ")} not found`;
}

/** `unix:PATH` or `ADDRESS:PORT`, as most configurations want it. */
export function addressText(address: Address, prefix = "unix:"): string {
  return "socket" in address ? `${prefix}${address.socket}` : `${address.host}:${address.port}`;
}

/**
 * A file and the front server of a request → the header by which that server sends the file itself, if it can.
 * What the front server is, it says itself (SERVER_SOFTWARE); no request header has a part in it. A server that does
 * not understand such a header would pass the path on to the client, so an unknown one gets none.
 */
import { realpath } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import type { GatewayFacts } from "../gateway.ts";
import { type FoundFile, namesBelow } from "./found-file.ts";

/** A folder of files that front servers may send, and what they call it. */
export interface HandOverFolder {
  /** Of nginx: the prefix of its internal location, with a slash at both ends. */
  readonly prefix: string;
  /** Absolute path, as the front server knows it. */
  readonly folder: string;
}

/** One header for one file. */
export interface HandOver {
  readonly header: string;
  readonly value: string;
  /** The server adds ETag and Last-Modified itself. */
  readonly validates: boolean;
}

/** What is known of a front server. */
interface FrontServer {
  readonly software: RegExp;
  readonly protocols: readonly string[];
  readonly header: string;
  /** What names the file: an encoded URI, an encoded path, or the path as it is. */
  readonly names: "uri" | "encoded path" | "path";
  /** Does it answer conditional and range requests, and HEAD, for the file? */
  readonly validates: boolean;
}

const BOTH: readonly string[] = ["fastcgi", "scgi"];

const FRONT_SERVERS: readonly FrontServer[] = [
  {
    software: /^nginx\b/,
    protocols: BOTH,
    header: "X-Accel-Redirect",
    names: "uri",
    validates: true,
  },
  {
    software: /^lighttpd\b/,
    protocols: BOTH,
    header: "X-Sendfile",
    names: "encoded path",
    validates: true,
  },
  // mod_proxy_scgi alone; over FastCGI nothing tells whether the third-party mod_xsendfile is there. Measured with
  // 2.4.71: it sends the whole file for a range, and neither ETag nor Last-Modified of its own.
  {
    software: /^Apache\b/,
    protocols: ["scgi"],
    header: "X-Sendfile",
    names: "path",
    validates: false,
  },
  {
    software: /^Cherokee\b/,
    protocols: BOTH,
    header: "X-Sendfile",
    names: "path",
    validates: false,
  },
];

/** Request headers that ask for less than the whole file. */
const CONDITIONS: readonly string[] = [
  "range",
  "if-range",
  "if-match",
  "if-none-match",
  "if-modified-since",
  "if-unmodified-since",
];

const foldersOf = new WeakMap<object, readonly HandOverFolder[]>();

/** Allows the requests of a server to be answered by handing files of these folders over. */
export function allowHandOver(server: object, folders: readonly HandOverFolder[]): void {
  foldersOf.set(server, folders);
}

function frontServerOf(req: IncomingMessage): FrontServer | undefined {
  const { gateway } = req as { gateway?: GatewayFacts };
  const software = gateway?.params["SERVER_SOFTWARE"];
  if (gateway === undefined || software === undefined || gateway.role !== "responder") {
    return undefined;
  }
  const known = FRONT_SERVERS.find((server) => server.software.test(software));
  if (known?.protocols.includes(gateway.protocol) !== true) return undefined;
  const plain = req.method === "GET" && CONDITIONS.every((name) => req.headers[name] === undefined);
  return known.validates || plain ? known : undefined;
}

/** How a server is told of a file; undefined where it cannot be written as a header of that server. */
function nameOf(
  front: FrontServer,
  { prefix, folder }: HandOverFolder,
  names: readonly string[],
): string | undefined {
  const encoded = (path: string): string => path.split("/").map(encodeURIComponent).join("/");
  if (front.names === "uri") return encoded(prefix + names.join("/"));
  const path = join(folder, ...names);
  if (front.names === "encoded path") return encoded(path);
  return /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(path) ? path : undefined;
}

/**
 * Finds the header for a file.
 *
 * @returns undefined where the gateway has to send the file itself
 */
export async function handOverOf(
  req: IncomingMessage,
  file: FoundFile,
): Promise<HandOver | undefined> {
  const { server } = req.socket as { server?: object };
  const folders = server === undefined ? undefined : foldersOf.get(server);
  const front = folders === undefined ? undefined : frontServerOf(req);
  if (folders === undefined || front === undefined) return undefined;
  for (const entry of folders) {
    // A folder that is gone holds no file of ours.
    const real = await realpath(entry.folder).catch(() => undefined);
    const names = real === undefined ? undefined : namesBelow(real, file.real);
    const value = names === undefined ? undefined : nameOf(front, entry, names);
    if (value !== undefined) {
      return { header: front.header, value, validates: front.validates };
    }
  }
  return undefined;
}

/**
 * The option `static` → a server that answers requests below some prefixes with files, before any application.
 * A prefix belongs to its files alone: what is missing there is 404, another method than GET and HEAD 405. Nothing
 * outside the folder, nothing hidden, no list of a folder. See docs/files.md.
 */
import type { ServerResponse } from "node:http";
import { answerFailure, answerStatus, streamFile } from "../handler/files/file-answer.ts";
import { type FoundFile, findBelow } from "../handler/files/found-file.ts";
import { attachHttpGateway } from "../handler/http-gateway.ts";
import type { GatewayRequest } from "../handler/node/request.ts";
import { decodePath, encodePath, pathOf } from "../http/target.ts";
import type { Server } from "../server/server.ts";
import type { FolderSettings } from "../server/settings.ts";

/** What is sent for a folder. */
const INDEX = "index.html";

/** A request below a prefix. */
interface Claim {
  readonly folder: string;
  /** Decoded path below the prefix, latin1; undefined for the prefix itself without its slash. */
  readonly rest: string | undefined;
}

/** Prefixes in the form of paths: one character a byte, the longest first. */
function byLength(folders: readonly FolderSettings[]): FolderSettings[] {
  return folders
    .map(({ prefix, folder }) => ({ prefix: Buffer.from(prefix).toString("latin1"), folder }))
    .sort((a, b) => b.prefix.length - a.prefix.length);
}

/** The prefix that a request is below: of the path that the client asked for, or of the path below the mount. */
function claimOf(req: GatewayRequest, folders: readonly FolderSettings[]): Claim | undefined {
  const { gateway, url = "" } = req;
  // An Authorizer's or Filter's answer is no file: it lets requests pass, or changes what passes.
  if (gateway.role !== "responder") return undefined;
  const { scriptName, pathInfo } = gateway;
  // With stripScriptName the target is no longer what the client asked for.
  const paths = [decodePath(pathOf(url)), scriptName + pathInfo, pathInfo];
  for (const { prefix, folder } of folders) {
    for (const path of paths) {
      if (path.startsWith(prefix)) return { folder, rest: path.slice(prefix.length) };
      if (path.length === prefix.length - 1 && prefix.startsWith(path) && path !== "") {
        return { folder, rest: undefined };
      }
    }
  }
  return undefined;
}

/** File names are UTF-8; undefined for bytes that are not. */
function namesOf(rest: string): string[] | undefined {
  const bytes = Buffer.from(rest, "latin1");
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? text.split("/") : undefined;
}

/** Below a folder the links of its index are wrong without the slash. Relative, so that every mount is right. */
function redirect(req: GatewayRequest, res: ServerResponse): void {
  const { url = "" } = req;
  const path = decodePath(pathOf(url));
  const last = encodePath(path.slice(path.lastIndexOf("/") + 1));
  res.setHeader("Location", `./${last}/${url.slice(pathOf(url).length)}`);
  answerStatus(res, 301);
}

/** The file of a claim; "redirect" for a folder with an index that was asked for without its slash. */
async function find({ folder, rest }: Claim): Promise<FoundFile | "redirect" | undefined> {
  const names = rest === undefined ? [] : namesOf(rest);
  if (names === undefined) return undefined;
  const slash = names.at(-1) === "";
  if (slash) names.pop();
  const found = await findBelow(folder, names);
  if (found !== "folder") return slash ? undefined : found;
  const index = await findBelow(folder, [...names, INDEX]);
  if (index === undefined || index === "folder") return undefined;
  return slash ? index : "redirect";
}

async function answer(req: GatewayRequest, res: ServerResponse, claim: Claim): Promise<void> {
  if (req.method !== "GET" && req.method !== "HEAD") {
    res.setHeader("Allow", "GET, HEAD");
    answerStatus(res, 405);
    return;
  }
  try {
    const found = await find(claim);
    if (found === undefined) answerStatus(res, 404);
    else if (found === "redirect") redirect(req, res);
    else await streamFile(req, res, found);
  } catch (error) {
    if (res.headersSent) throw error;
    answerFailure(res, error);
  }
}

/**
 * Makes a server answer requests below prefixes with files; others go to its "request" listeners as ever.
 *
 * Works at the event, so that it holds for applications however they are mounted, and costs nothing where it is not used.
 */
export function mountStatic(server: Server, folders: readonly FolderSettings[]): void {
  if (folders.length === 0) return;
  const sorted = byLength(folders);
  const emit = server.emit.bind(server) as (...given: unknown[]) => boolean;
  const emitOthers = (event: unknown, ...given: unknown[]): boolean => {
    if (event !== "request") return emit(event, ...given);
    const [req, res] = given as [GatewayRequest, ServerResponse];
    attachHttpGateway.call(server, req, res);
    const claim = claimOf(req, sorted);
    if (claim === undefined) return emit(event, req, res);
    answer(req, res, claim).catch((error: unknown) => server.fail(error, req, res));
    return true;
  };
  server.emit = emitOthers as Server["emit"];
}

/**
 * `sendFile(req, res, path)`: a handler's file → the client, by the front server where that is allowed and it can.
 * Allowed is what the option `sendfile` lists (hand-over.ts); everything else goes through the gateway
 * (file-answer.ts). See docs/files.md.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isAbsolute } from "node:path";
import { UsageError } from "../../errors.ts";
import { answerFailure, answerStatus, describeFile, streamFile } from "./file-answer.ts";
import { type FoundFile, findBelow, findFile } from "./found-file.ts";
import { handOverOf } from "./hand-over.ts";

/** Options of {@link sendFile}. */
export interface SendFileOptions {
  /**
   * Folder below which the path counts. Nothing outside of it is sent, and no name that begins with a dot: needed
   * wherever the path comes from a client.
   *
   * @default undefined — the path is absolute, and any file may be sent
   */
  root?: string | undefined;
}

async function find(path: string, root: string | undefined): Promise<FoundFile | undefined> {
  if (root === undefined) return findFile(path);
  const names = path.replace(/^\/+/, "").split("/");
  const found = await findBelow(root, names);
  return found === "folder" ? undefined : found;
}

/**
 * Sends a file as the answer, with Content-Type, ETag, Last-Modified, ranges and conditional requests.
 *
 * What the handler set before stays: status, Content-Type, Cache-Control and other headers; ETag, Last-Modified and
 * lengths are the file's. A status other than 200 sends the file whole. Where there is no such file the answer is 404,
 * where it may not be read 403.
 *
 * @param path    of the file, not percent-encoded: absolute, or below `options.root`
 * @param options see {@link SendFileOptions}
 * @returns whether there was such a file; resolves when the answer is on its way, or its client is gone
 * @throws UsageError for a relative path without `root`
 */
export async function sendFile(
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
  options: SendFileOptions = {},
): Promise<boolean> {
  if (typeof path !== "string" || (options.root === undefined && !isAbsolute(path))) {
    throw new UsageError(
      `sendFile() was given ${typeof path === "string" ? JSON.stringify(path) : typeof path}; ` +
        "give an absolute path, or a path and the option root.",
    );
  }
  try {
    const file = await find(path, options.root);
    if (file === undefined) {
      answerStatus(res, 404);
      return false;
    }
    const handOver = res.statusCode === 200 ? await handOverOf(req, file) : undefined;
    if (handOver === undefined) {
      await streamFile(req, res, file);
    } else {
      await describeFile(res, file, !handOver.validates);
      res.setHeader(handOver.header, handOver.value);
      res.end();
    }
    return true;
  } catch (error) {
    if (res.headersSent) throw error;
    answerFailure(res, error);
    return false;
  }
}

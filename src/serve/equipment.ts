/**
 * A server and its settings → what stands before and beside the application: status, static folders, files handed over,
 * logs.
 *
 * The same for a server that `serve` or `createServer` made and for one that `postern/register` adopted. Listens to
 * nothing.
 */
import { allowHandOver } from "../handler/files/hand-over.ts";
import type { Server } from "../server/server.ts";
import { keepLogs } from "../observe/server-logs.ts";
import { doAtExit, logFacts, processFacts } from "../server/listen.ts";
import type { ResolvedOptions } from "../server/settings.ts";
import { mountStatus } from "./status-mount.ts";
import { mountStatic } from "./static-files.ts";

/**
 * Gives a server what its options ask for beside listening.
 *
 * @throws UsageError for a log that cannot be written
 */
export function equip(server: Server, options: ResolvedOptions): void {
  mountStatus(server, options);
  mountStatic(server, options.static);
  if (options.sendfile.length > 0) allowHandOver(server, options.sendfile);
  keepLogs(server, options.logs, { ...logFacts(), warn: processFacts.warn, doAtExit });
}

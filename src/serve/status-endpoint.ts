/**
 * The option `status` → a server of HTTP of its own, on a unix socket or a port of this machine, that shows a status.
 *
 * It shares nothing with the server that it is about but the process: neither its limits nor its connections. Its socket
 * file is handled as every other.
 */
import { selectEngine } from "../engine/select.ts";
import { pathOf } from "../http/target.ts";
import { answerStatus } from "../observe/status-answer.ts";
import type { Status } from "../observe/status.ts";
import { tellsReach } from "../server/reach.ts";
import { Server } from "../server/server.ts";
import { normalizeOptions } from "./options.ts";
import { readStatusAddress } from "./status-address.ts";

/** A page of anybody's could point a name at this machine and read the status by it; no answer is made for a name. */
const FOREIGN =
  "The Host of this request is a name; ask for 127.0.0.1, [::1] or localhost, and let a proxy send one of them.\n";

/** Where something is; every other path is a mistake that shall be seen. */
const PATHS: ReadonlySet<string> = new Set(["/", "/metrics"]);
const ELSEWHERE = "The status is at /, the metrics are at /metrics.\n";

function isForeign(host: string): boolean {
  const name = host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
  return name !== "" && !tellsReach(name);
}

/**
 * Serves a status.
 *
 * @param text as for readStatusAddress
 * @param read makes the status, for each question
 * @throws UsageError when the address cannot be had
 */
export function openStatus(text: string, read: () => Status): Promise<Server> {
  const address = readStatusAddress(text);
  const options = normalizeOptions({ protocol: "http", ...address }, {});
  const server = new Server(options, selectEngine("typescript"));
  server.on("request", (req, res) => {
    const refuse = (status: number, text: string): void =>
      void res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(text);
    if ("port" in address && isForeign(req.headers.host ?? "")) refuse(421, FOREIGN);
    else if (!PATHS.has(pathOf(req.url ?? "/"))) refuse(404, ELSEWHERE);
    else answerStatus(req, res, read);
  });
  server.listen();
  return server.ready();
}

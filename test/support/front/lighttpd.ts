/**
 * Sites → a lighttpd configuration in a private folder, and lighttpd in the foreground with it.
 *
 * One socket block for each site; the site brings its fastcgi.server, scgi.server or ajp13.server lines as text,
 * because they are what the tests are about. Sends no request.
 */
import { writeFileSync } from "node:fs";
import { findProgram, isRoot, workerAccount } from "./child.ts";
import { FrontServer } from "./front-server.ts";
import type { Address, Room } from "./ports.ts";

/** One `$SERVER["socket"]` block. */
export interface LighttpdSite {
  readonly port: number;
  readonly lines: readonly string[];
}

/** A gateway's place as options of one lighttpd host entry. */
export function lighttpdTarget(address: Address): string {
  return "socket" in address
    ? `"socket" => "${address.socket}"`
    : `"host" => "${address.host}", "port" => ${address.port}`;
}

/** Starts lighttpd with the sites; `modules` are those that only they need, before the others. */
export function startLighttpd(
  room: Room,
  sites: readonly LighttpdSite[],
  env?: NodeJS.ProcessEnv,
  modules: readonly string[] = [],
): Promise<FrontServer> {
  const program = findProgram("lighttpd");
  const first = sites[0];
  if (program === undefined || first === undefined)
    throw new Error("lighttpd or its sites are missing");
  const { user, group } = workerAccount();
  const uploads = room.folder("lighttpd-uploads", true);
  const text = `server.modules = ( ${modules.map((name) => `"${name}", `).join("")}"mod_rewrite", "mod_setenv", "mod_fastcgi", "mod_scgi", "mod_ajp13" )
server.document-root = "${room.folder("lighttpd-htdocs")}"
server.upload-dirs = ( "${uploads}" )
server.bind = "127.0.0.1"
server.port = ${first.port}
server.stream-response-body = 2
${isRoot ? `server.username = "${user}"\nserver.groupname = "${group}"` : ""}
${sites
  .map(
    (site) => `$SERVER["socket"] == "127.0.0.1:${site.port}" {
${site.lines.map((line) => `  ${line}`).join("\n")}
}`,
  )
  .join("\n")}
`;
  writeFileSync(room.file("lighttpd.conf"), text);
  return FrontServer.start({
    program,
    parameters: ["-D", "-f", room.file("lighttpd.conf")],
    port: first.port,
    // Its log is its stderr: a file would be opened by the unprivileged user already.
    // lighttpd has no levels; these words stand in every line about a backend that misbehaves.
    complaint: /unexpected|died|crash|failed|refused|invalid|broken|error/i,
    ...(env ? { env } : {}),
    room,
  });
}

/**
 * Sites → an HAProxy configuration in a private folder, and HAProxy in the foreground with it.
 *
 * One frontend, one backend and one fcgi-app for each site; HAProxy speaks FastCGI only. Sends no request.
 */
import { writeFileSync } from "node:fs";
import { findProgram, isRoot, workerAccount } from "./child.ts";
import { FrontServer } from "./front-server.ts";
import { type Address, type Room, showAddress } from "./ports.ts";

/** One frontend with its gateway. */
export interface HaproxySite {
  readonly port: number;
  readonly address: Address;
  /** Further lines of the fcgi-app section. */
  readonly application?: readonly string[];
  /** Further lines of the backend section. */
  readonly backend?: readonly string[];
}

function renderSite(site: HaproxySite, index: number): string {
  const target =
    "socket" in site.address ? `unix@${site.address.socket}` : showAddress(site.address);
  return `
frontend front${index}
  bind 127.0.0.1:${site.port}
  default_backend back${index}
backend back${index}
  option abortonclose
${(site.backend ?? []).map((line) => `  ${line}`).join("\n")}
  use-fcgi-app app${index}
  server gateway${index} ${target} proto fcgi
fcgi-app app${index}
  docroot /
  log-stderr global
${(site.application ?? []).map((line) => `  ${line}`).join("\n")}
`;
}

/** Starts HAProxy with the sites. */
export function startHaproxy(room: Room, sites: readonly HaproxySite[]): Promise<FrontServer> {
  const program = findProgram("haproxy");
  const first = sites[0];
  if (program === undefined || first === undefined)
    throw new Error("haproxy or its sites are missing");
  const { user, group } = workerAccount();
  const text = `global
  log stderr format short daemon
  maxconn 200
  nbthread 1
${isRoot ? `  user ${user}\n  group ${group}` : ""}
defaults
  mode http
  log global
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${sites.map(renderSite).join("\n")}
`;
  writeFileSync(room.file("haproxy.cfg"), text);
  return FrontServer.start({
    program,
    parameters: ["-db", "-f", room.file("haproxy.cfg")],
    port: first.port,
    complaint: /\[ALERT\]|BUG|assertion/i,
    room,
  });
}

/**
 * Virtual hosts → an Apache configuration in a private folder, and Apache in the foreground with it.
 *
 * Each site brings the directives of its virtual host as text, because they are what the tests are about; this
 * file brings what any Apache needs to run beside the machine's own. Sends no request.
 */
import { existsSync, writeFileSync } from "node:fs";
import { findProgram, isRoot, workerAccount } from "./child.ts";
import { FrontServer } from "./front-server.ts";
import type { Address, Room } from "./ports.ts";

/** Where distributions keep Apache's modules. */
const MODULE_FOLDERS = [
  "/usr/lib/apache2/modules",
  "/usr/lib64/httpd/modules",
  "/usr/lib/httpd/modules",
  "/usr/lib64/apache2-prefork",
];

const MODULES = [
  "mpm_event",
  "authn_core",
  "authz_core",
  "proxy",
  "proxy_fcgi",
  "proxy_scgi",
  "proxy_ajp",
  "rewrite",
  "setenvif",
  "env",
  "alias",
  "mime",
  "dir",
];

/** The folder with Apache's modules. */
export function apacheModules(): string {
  return MODULE_FOLDERS.find((folder) => existsSync(`${folder}/mod_proxy.so`)) ?? "";
}

/** Path of mod_fcgid, which is a package of its own. */
export function fcgidModule(): string {
  return `${apacheModules()}/mod_fcgid.so`;
}

/** Path of mod_ssl, which some distributions package by itself. */
export function sslModule(): string {
  return `${apacheModules()}/mod_ssl.so`;
}

/** The program's name differs between distributions. */
export function apacheName(): string {
  return findProgram("apache2") === undefined ? "httpd" : "apache2";
}

/** One virtual host. */
export interface ApacheSite {
  readonly port: number;
  readonly directives: readonly string[];
}

/** How Apache writes the place of a gateway: `unix:/p|fcgi://name/` or `fcgi://127.0.0.1:9000/`. */
export function apacheTarget(
  scheme: "fcgi" | "scgi" | "ajp",
  address: Address,
  name: string,
  path = "/",
): string {
  return "socket" in address
    ? `unix:${address.socket}|${scheme}://${name}${path}`
    : `${scheme}://${address.host}:${address.port}${path}`;
}

/** Starts Apache with the sites; mod_fcgid is loaded where `fcgid` has directives for it. */
export function startApache(
  room: Room,
  sites: readonly ApacheSite[],
  fcgid: readonly string[] = [],
): Promise<FrontServer> {
  const program = findProgram(apacheName());
  const first = sites[0];
  if (program === undefined || first === undefined)
    throw new Error("apache or its sites are missing");
  const folder = apacheModules();
  const balances = sites.some((site) => site.directives.join().includes("balancer://"));
  const speaksTls = sites.some((site) => site.directives.includes("SSLEngine on"));
  const modules = [
    ...MODULES,
    ...(fcgid.length > 0 ? ["fcgid"] : []),
    ...(balances ? ["slotmem_shm", "proxy_balancer", "lbmethod_byrequests"] : []),
    ...(speaksTls ? ["ssl"] : []),
  ];
  const { user, group } = workerAccount();
  room.folder("htdocs");
  writeFileSync(room.file("mime.types"), "text/plain txt\n");
  const text = `ServerRoot ${room.path}
ServerName localhost
DefaultRuntimeDir ${room.path}
PidFile ${room.file("apache.pid")}
ErrorLog ${room.file("apache.log")}
LogLevel warn
${isRoot ? `User ${user}\nGroup ${group}` : ""}
${modules
  .filter((name) => existsSync(`${folder}/mod_${name}.so`))
  .map((name) => `LoadModule ${name}_module ${folder}/mod_${name}.so`)
  .join("\n")}
TypesConfig ${room.file("mime.types")}
DocumentRoot ${room.file("htdocs")}
StartServers 1
ServerLimit 1
ThreadsPerChild 32
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
MaxConnectionsPerChild 0
MaxKeepAliveRequests 0
Timeout 60
LimitRequestBody 0
GracefulShutdownTimeout 2
${fcgid.join("\n")}
${sites.map((site) => `Listen 127.0.0.1:${site.port}`).join("\n")}
${sites
  .map(
    (site) => `<VirtualHost 127.0.0.1:${site.port}>
${site.directives.map((line) => `  ${line}`).join("\n")}
</VirtualHost>`,
  )
  .join("\n")}
`;
  writeFileSync(room.file("apache.conf"), text);
  return FrontServer.start({
    program,
    parameters: ["-f", room.file("apache.conf"), "-DFOREGROUND"],
    port: first.port,
    log: room.file("apache.log"),
    complaint: /:(error|crit|alert|emerg)\]/,
    room,
  });
}

/**
 * A site → keys of a Cherokee configuration: the sources, and the rule that uses them, over FastCGI or SCGI.
 *
 * The shape is that of 1.2.104; no Debian package has Cherokee, so no test runs it. It is to be merged into the keys of
 * a virtual server, here the first one.
 */
import { UsageError } from "../errors.ts";
import {
  placeOf,
  type Rendered,
  refuseProtocol,
  refuseUpgrades,
  type Site,
  wordOf,
} from "./site.ts";

/** The default rule and the first one for a folder. */
const DEFAULT_RULE = 1;
const FOLDER_RULE = 500;

function rule(site: Site): string[] {
  const handler = site.protocol === "scgi" ? "scgi" : "fcgi";
  const isRoot = site.prefix === "";
  const key = `vserver!1!rule!${isRoot ? DEFAULT_RULE : FOLDER_RULE - 1}`;
  return [
    ...(isRoot
      ? [`${key}!match = default`]
      : [`${key}!match = directory`, `${key}!match!directory = ${site.prefix}`]),
    `${key}!handler = ${handler}`,
    `${key}!handler!check_file = 0`,
    `${key}!handler!error_handler = 0`,
    `${key}!handler!pass_req_headers = 1`,
    `${key}!handler!x_real_ip_enabled = 0`,
    `${key}!handler!balancer = ${site.isSticky ? "ip_hash" : "round_robin"}`,
    ...site.backends.map((_, i) => `${key}!handler!balancer!source!${i + 1} = ${i + 1}`),
  ];
}

function sources(site: Site): string[] {
  return site.backends.flatMap((backend, i) => [
    `source!${i + 1}!type = host`,
    `source!${i + 1}!nick = ${wordOf(site)}-${i + 1}`,
    `source!${i + 1}!host = ${placeOf(backend)}`,
  ]);
}

function folders(site: Site): string[] {
  return site.folders.flatMap(({ prefix, folder }, i) => {
    const key = `vserver!1!rule!${FOLDER_RULE + i}`;
    return [
      `${key}!match = directory`,
      `${key}!match!directory = ${prefix.replace(/\/$/, "")}`,
      `${key}!document_root = ${folder}`,
      `${key}!handler = file`,
    ];
  });
}

/** The configuration, to be merged into cherokee.conf. */
export function renderCherokee(site: Site): Rendered {
  refuseProtocol("Cherokee", site, ["fastcgi", "scgi"], "give protocol fastcgi or scgi.");
  refuseUpgrades("Cherokee", site);
  if (site.tls !== undefined) {
    throw new UsageError(
      "TLS of Cherokee is set per virtual server in its administration; leave out tls.",
    );
  }
  const lines = [
    ...(site.bodyBytes === Number.POSITIVE_INFINITY
      ? []
      : [`server!max_post_size = ${site.bodyBytes}`]),
    ...folders(site),
    ...rule(site),
    ...sources(site),
  ];
  return { files: [{ path: "/etc/cherokee/cherokee.conf", text: `${lines.join("\n")}\n` }] };
}

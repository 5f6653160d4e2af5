/**
 * SERVER_SOFTWARE → can that front server carry an upgrade over this protocol?
 * It knows what servers were seen to do, and switches nothing itself. RFC 3875 §4.1.17 for the variable; what each
 * server does with a 101 is in docs/front-servers.md.
 */
import type { RequestHead } from "../../http/head.ts";

/** lighttpd carries upgrades since this release of 1.4; from then on it drops the header where it may not. */
const LIGHTTPD_RELEASE_MIN = 74;

/** Over SCGI these pass Upgrade on and cannot do it: mod_proxy_scgi and Cherokee take a 101 for the whole response. */
const UNABLE = /^(?:Apache|Cherokee)\b/i;

/** Does lighttpd of this name carry upgrades? One that hides its version is believed. */
function carriesLighttpd(software: string): boolean {
  const release = /^lighttpd\/1\.4\.(\d+)/i.exec(software)?.[1];
  return release === undefined || Number(release) >= LIGHTTPD_RELEASE_MIN;
}

function softwareOf(head: RequestHead): string {
  return head.params["SERVER_SOFTWARE"] ?? "";
}

/** FastCGI: lighttpd alone, and peers that do not say who they are. */
export function carriesOverFastCgi(head: RequestHead): boolean {
  const software = softwareOf(head);
  return (software === "" || /^lighttpd\b/i.test(software)) && carriesLighttpd(software);
}

/** SCGI: everybody but those known to fail; nginx, which can, does not say who it is. */
export function carriesOverScgi(head: RequestHead): boolean {
  const software = softwareOf(head);
  return !UNABLE.test(software) && carriesLighttpd(software);
}

/**
 * A node request's target, host and scheme → the URL that a Web `Request` has: absolute, and spelled as the URL
 * standard spells it. Usual ones are put together as text; everything else goes through the parser. It judges no host.
 */

/**
 * Targets that the parser would hand back letter for letter: nothing to encode, no dot segments (asked for below).
 * An apostrophe is encoded in queries only.
 */
const PLAIN = /^\/[\w\-~!$&'()*+,;=:@%/.]*(?:\?[\w\-~!$&()*+,;=:@%/.?]*)?$/;
/** What may be a dot segment, spelled with dots or with %2e. */
const DOTS = /\/(?:\.|%2e)/i;

/** The last host and what became of it: a server mostly has one. One entry, since clients choose what it holds. */
let lastBase = "";
let lastOrigin = "";

function originOf(base: string): string {
  if (base === lastBase) return lastOrigin;
  const url = URL.canParse(base) ? new URL(base) : undefined;
  // A host that is no host (a name server's test, a scanner, one with a user or a path in it) must not keep the request
  // from its handler, nor name a host of its own.
  const isHost = url !== undefined && url.href === `${url.origin}/`;
  const origin = isHost ? url.origin : `${base.slice(0, base.indexOf(":"))}://localhost`;
  lastBase = base;
  lastOrigin = origin;
  return origin;
}

/**
 * Puts a URL together.
 *
 * @param scheme `http` or `https`
 * @param host   value of the Host header, unchecked; undefined where there is none
 * @param target a path with query, or `*`
 */
export function requestUrl(scheme: string, host: string | undefined, target: string): string {
  const origin = originOf(`${scheme}://${host ?? "localhost"}`);
  if (PLAIN.test(target) && !DOTS.test(target)) return origin + target;
  return new URL(origin + (target === "*" ? "/*" : target)).href;
}

/**
 * Finds the mount prefix and the path below it, which every front server reports in its own way.
 * It changes no variable and no URL: it works on immutable strings and returns two new ones.
 * RFC 3875 §4.1.5 and §4.1.13; the rules below are numbered in docs/script-name.md.
 */
import { decodePath, pathOf } from "../../http/target.ts";

/** The mount prefix and the rest, both decoded, latin1. Together they are the path that was asked for. */
export interface Mount {
  readonly scriptName: string;
  readonly pathInfo: string;
}

/** What a front server says. Missing and empty are the same. */
export interface MountFacts {
  /** SCRIPT_NAME, decoded. */
  readonly scriptName: string;
  /** PATH_INFO: decoded from most servers, encoded from Apache with `proxy-fcgi-pathinfo`. */
  readonly pathInfo: string;
  /** The target of the request, encoded (`req.url`). */
  readonly url: string;
  /** SCRIPT_URL, or REDIRECT_URL where that is missing: Apache, the public path before its rewriting, decoded. */
  readonly publicPath: string;
}

const squeeze = (path: string): string => path.replace(/\/{2,}/g, "/");
const before = (path: string, tail: string): string => path.slice(0, path.length - tail.length);

/** Rule a: the operator's word. The path below it is what follows it, or everything where it does not fit. */
function forcedMount(forced: string, path: string): Mount {
  const inside = path === forced || path.startsWith(`${forced}/`);
  return { scriptName: forced, pathInfo: inside ? path.slice(forced.length) : path };
}

/**
 * Resolves the mount. First match wins:
 * a. the forced prefix, "" included;
 * b. SCRIPT_URL or REDIRECT_URL, where it ends with PATH_INFO (Apache rewriting to a script);
 * c. the path of the target, decoded, as it is or with its slashes squeezed, where it ends with PATH_INFO; or raw
 *    against raw (Apache `proxy-fcgi-pathinfo=1` doubles the path);
 * d. no PATH_INFO and a SCRIPT_NAME that is the whole path, or none: mounted at the root (Apache ProxyPass, nginx);
 * e. what the server says.
 *
 * @param facts  the server's variables
 * @param forced option `scriptName`, or undefined
 */
export function resolveMount(facts: MountFacts, forced: string | undefined): Mount {
  const rawPath = pathOf(facts.url);
  const path = decodePath(rawPath);
  if (forced !== undefined) return forcedMount(forced, path);
  const { scriptName, pathInfo, publicPath } = facts;
  if (pathInfo === "") {
    const whole = scriptName === "" || scriptName === path || scriptName === squeeze(path);
    return whole ? { scriptName: "", pathInfo: path } : { scriptName, pathInfo };
  }
  for (const candidate of [publicPath, path, squeeze(path)]) {
    if (candidate !== "" && candidate.endsWith(pathInfo)) {
      return { scriptName: before(candidate, pathInfo), pathInfo };
    }
  }
  if (rawPath.endsWith(pathInfo)) {
    return { scriptName: decodePath(before(rawPath, pathInfo)), pathInfo: decodePath(pathInfo) };
  }
  return { scriptName, pathInfo };
}

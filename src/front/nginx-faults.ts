/**
 * Directives of nginx → what is wrong with the way from nginx to a gateway: one rule a function, for each location that
 * passes to FastCGI or SCGI.
 *
 * Values are those that count there: nginx inherits them from outside, parameters only where a block has none of its own.
 * What somebody wrote down is his decision where both ways are right; what nobody wrote is nginx's default, and named.
 */
import type { Directive } from "./directives.ts";
import type { Finding } from "./finding.ts";

/** A location that passes requests on, and the blocks around it, the innermost first. */
interface Pass {
  readonly module: "fastcgi" | "scgi";
  readonly directive: Directive;
  readonly target: string;
  readonly around: readonly (readonly Directive[])[];
  readonly upstreams: ReadonlyMap<string, Directive>;
}

type Rule = (pass: Pass) => Finding | undefined;

const KIB = 1_024;

function bytesOf(text: string): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (match === null) return Number.NaN;
  const power = " kmg".indexOf(match[2]!.toLowerCase() || " ");
  return Number(match[1]) * KIB ** power;
}

/** The directive that counts here; undefined: nginx's default does. */
function inForce({ around }: Pass, name: string): Directive | undefined {
  for (const block of around) {
    const found = block.findLast((one) => one.name === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The parameters that count here. */
function paramsOf({ around, module }: Pass): readonly Directive[] {
  for (const block of around) {
    const own = block.filter(({ name }) => name === `${module}_param`);
    if (own.length > 0) return own;
  }
  return [];
}

const paramOf = (pass: Pass, name: string): Directive | undefined =>
  paramsOf(pass).findLast(({ words }) => words[0] === name);

function keepsConnections(pass: Pass): Finding | undefined {
  if (pass.module === "scgi") return undefined;
  const upstream = pass.upstreams.get(pass.target);
  const hasPool = upstream?.block?.some(({ name }) => name === "keepalive") ?? false;
  const keeps = inForce(pass, "fastcgi_keep_conn");
  if (hasPool && keeps?.words[0] === "on") return undefined;
  const missing =
    upstream === undefined
      ? `upstream app { server ${pass.target}; keepalive 16; } and fastcgi_pass app; fastcgi_keep_conn on;`
      : hasPool
        ? "fastcgi_keep_conn on;"
        : `keepalive 16; in upstream ${pass.target}${keeps?.words[0] === "on" ? "" : ", and fastcgi_keep_conn on;"}`;
  return {
    id: "keep-alive",
    cause: "Each request has a connection of its own, which costs about twice the work.",
    where: (hasPool ? (keeps ?? pass.directive) : (upstream ?? pass.directive)).where,
    fix: missing,
  };
}

function hasRequestUri(pass: Pass): Finding | undefined {
  const given = paramOf(pass, "REQUEST_URI");
  if (given?.words[1] === "$request_uri") return undefined;
  return {
    id: "request-uri",
    cause:
      given === undefined
        ? "REQUEST_URI is not passed, so the application sees decoded paths: %2F and / become the same."
        : `REQUEST_URI is ${given.words[1]}, which is not what the client sent.`,
    where: (given ?? pass.directive).where,
    fix: `${pass.module}_param REQUEST_URI $request_uri;`,
  };
}

function hasRightPath(pass: Pass): Finding | undefined {
  const info = paramOf(pass, "PATH_INFO");
  const isEmpty = info?.words[1] === "$fastcgi_path_info";
  if (!isEmpty || inForce(pass, "fastcgi_split_path_info") !== undefined) return undefined;
  return {
    id: "path-info",
    cause: "PATH_INFO is $fastcgi_path_info, which is empty without fastcgi_split_path_info.",
    where: info.where,
    fix: "Leave that line out, or pass $document_uri: postern takes the path from REQUEST_URI.",
  };
}

function hasRightName(pass: Pass): Finding | undefined {
  const given = paramOf(pass, "SCRIPT_NAME");
  const value = given?.words[1] ?? "";
  if (!/\.(?:php|fcgi|cgi|js|mjs|py|pl)$/.test(value)) return undefined;
  return {
    id: "script-name",
    cause: `SCRIPT_NAME is ${value}, a file: the application would be mounted there, and every path lie outside of it.`,
    where: given!.where,
    fix: `${pass.module}_param SCRIPT_NAME $fastcgi_script_name;`,
  };
}

function hidesProxy(pass: Pass): Finding | undefined {
  const given = paramOf(pass, "HTTP_PROXY");
  if (given?.words[1] === "") return undefined;
  return {
    id: "http-proxy",
    cause: "A client's Proxy header becomes HTTP_PROXY (httpoxy, CVE-2016-5385).",
    where: (given ?? pass.directive).where,
    fix: `${pass.module}_param HTTP_PROXY "";`,
  };
}

function passesAuthorization(pass: Pass): Finding | undefined {
  const given = paramOf(pass, "HTTP_AUTHORIZATION");
  if (given === undefined || given.words[1] === "$http_authorization") return undefined;
  return {
    id: "authorization",
    cause: "The Authorization header is taken away from the application.",
    where: given.where,
    fix: "Leave that line out.",
  };
}

const streamsAnswers: Rule = (pass) => {
  const name = `${pass.module}_buffering`;
  if (inForce(pass, name) !== undefined) return undefined;
  return {
    id: "buffering",
    cause: "Answers are collected first, so events and streams come late or all at once.",
    where: pass.directive.where,
    fix: `${name} off; (or ${name} on; where that is meant)`,
  };
};

function allowsUploads(pass: Pass): Finding | undefined {
  if (inForce(pass, "client_max_body_size") !== undefined) return undefined;
  return {
    id: "upload-limit",
    cause: "Uploads over 1 MiB are a 413 of nginx's own: that is its default.",
    where: pass.directive.where,
    fix: "client_max_body_size 1024m; (as limits.bodyBytes)",
  };
}

function hasRoomForHeads(pass: Pass): Finding | undefined {
  const asked = inForce(pass, "large_client_header_buffers");
  const answered = inForce(pass, `${pass.module}_buffer_size`);
  if (asked !== undefined && bytesOf(asked.words[1] ?? "") < 8 * KIB) {
    return {
      id: "header-size",
      cause: `Request headers over ${asked.words[1]} are a 400 or 414 of nginx's own, such as those with a large cookie.`,
      where: asked.where,
      fix: "large_client_header_buffers 4 8k;",
    };
  }
  if (answered === undefined || !(bytesOf(answered.words[0] ?? "") < 4 * KIB)) return undefined;
  return {
    id: "header-size",
    cause: `Answers whose headers are longer than ${answered.words[0]} are a 502: "upstream sent too big header".`,
    where: answered.where,
    fix: `${pass.module}_buffer_size 8k;`,
  };
}

const RULES: readonly Rule[] = [
  keepsConnections,
  hasRequestUri,
  hasRightPath,
  hasRightName,
  hidesProxy,
  passesAuthorization,
  streamsAnswers,
  allowsUploads,
  hasRoomForHeads,
];

function passesIn(
  directives: readonly Directive[],
  around: readonly (readonly Directive[])[],
  upstreams: ReadonlyMap<string, Directive>,
): Pass[] {
  const blocks = [directives, ...around];
  return directives.flatMap((directive) => {
    if (directive.block !== undefined) return passesIn(directive.block, blocks, upstreams);
    const module = /^(fastcgi|scgi)_pass$/.exec(directive.name)?.[1] as Pass["module"] | undefined;
    if (module === undefined) return [];
    return [{ module, directive, target: directive.words[0] ?? "", around: blocks, upstreams }];
  });
}

function upstreamsIn(directives: readonly Directive[]): Directive[] {
  return directives.flatMap((one) =>
    one.name === "upstream" ? [one] : upstreamsIn(one.block ?? []),
  );
}

/** What is wrong; empty for a good one, undefined where nothing is passed to FastCGI or SCGI. */
export function nginxFaults(directives: readonly Directive[]): readonly Finding[] | undefined {
  const upstreams = new Map(upstreamsIn(directives).map((one) => [one.words[0] ?? "", one]));
  const passes = passesIn(directives, [], upstreams);
  if (passes.length === 0) return undefined;
  const found = passes.flatMap((pass) => RULES.map((rule) => rule(pass)));
  const findings = found.filter((one): one is Finding => one !== undefined);
  // Several locations, one line outside of them.
  return findings.filter(
    (one, i) => findings.findIndex(({ id, where }) => id === one.id && where === one.where) === i,
  );
}

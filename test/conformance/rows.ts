/**
 * The table "who sets what": a front server's set-up, and the variables that follow from it.
 *
 * Every row names its configuration as an operator would write it, what the server then says, and what postern
 * must make of it: mount prefix, path below it, and req.url. Starts nothing and sends nothing.
 */
import type { HaproxySite } from "../support/front/haproxy.ts";
import { lighttpdTarget } from "../support/front/lighttpd.ts";
import type { NginxSite } from "../support/front/nginx.ts";
import type { Address } from "../support/front/ports.ts";

/** The variables that servers disagree about; absent ones are undefined. */
export interface Said {
  readonly SCRIPT_NAME?: string;
  readonly PATH_INFO?: string;
  readonly REQUEST_URI?: string;
  readonly SCRIPT_URL?: string;
  readonly REDIRECT_URL?: string;
}

/** One row. */
export interface Row {
  readonly title: string;
  /** What the client asks for. */
  readonly path: string;
  /** What the server says; undefined for AJP, which has no such variables. */
  readonly said: Said | undefined;
  readonly scriptName: string;
  readonly pathInfo: string;
  /** req.url, where it is not what the client asked for. */
  readonly url?: string;
}

/** Where the gateways of one configuration listen. */
export interface Places {
  readonly fastcgi: Address;
  readonly scgi: Address;
  readonly ajp: Address;
}

/** A path with a blank and UTF-8, as the client sends it and as servers decode it (latin1, one character a byte). */
export const RAW: string = "/c/a%20b/%E3%81%82";
/** The same, decoded. */
export const DECODED: string = "/c/a b/\u00e3\u0081\u0082";
/** Its query. */
export const QUERY: string = "?x=1";

/** Mounted at the root, asked for RAW. */
export const root: Pick<Row, "scriptName" | "pathInfo" | "path"> = {
  scriptName: "",
  pathInfo: DECODED,
  path: RAW + QUERY,
};
/** What all servers but Cherokee say of it. */
export const said: Said = { REQUEST_URI: RAW + QUERY };

/** A row of lighttpd, with the lines of its site. */
export interface LighttpdRow extends Row {
  readonly lines: readonly string[];
}

/** lighttpd. */
export function lighttpdRows(places: Places): LighttpdRow[] {
  const target = (address: Address): string =>
    `${lighttpdTarget(address)}, "check-local" => "disable"`;
  const fastcgi = (prefix: string, more = ""): string =>
    `fastcgi.server = ( "${prefix}" => (( ${target(places.fastcgi)}${more} )) )`;
  return [
    {
      title: "lighttpd, rewritten to /mysite.fcgi; doubled and encoded slashes",
      path: "/a%20b//x%2Fy?x=1",
      lines: [fastcgi("/mysite.fcgi"), 'url.rewrite-once = ( "^(/.*)$" => "/mysite.fcgi$1" )'],
      said: {
        SCRIPT_NAME: "/mysite.fcgi",
        PATH_INFO: "/a b/x/y",
        REQUEST_URI: "/a%20b//x%2Fy?x=1",
      },
      scriptName: "",
      pathInfo: "/a b/x/y",
    },
    {
      ...root,
      title: 'lighttpd, "/" with fix-root-scriptname',
      lines: [fastcgi("/", ', "fix-root-scriptname" => "enable"')],
      said: { SCRIPT_NAME: "", PATH_INFO: DECODED, ...said },
    },
    {
      title: 'lighttpd, "/" without fix-root-scriptname: the first segment is taken for the script',
      path: "/zz/y?x=1",
      lines: [fastcgi("/")],
      said: { SCRIPT_NAME: "/zz", PATH_INFO: "/y", REQUEST_URI: "/zz/y?x=1" },
      scriptName: "/zz",
      pathInfo: "/y",
    },
    {
      title: "lighttpd, ajp13: the path comes decoded",
      path: "/a%20b/%E3%81%82/q%3Fr%23s%25?x=1",
      lines: [`ajp13.server = ( "" => (( ${target(places.ajp)} )) )`],
      said: undefined,
      scriptName: "",
      pathInfo: "/a b/\u00e3\u0081\u0082/q?r#s%",
    },
  ];
}

/** A row of nginx, with its site. */
export type NginxRow = Row & Pick<NginxSite, "protocol" | "address" | "params" | "directives">;

/** nginx. */
export function nginxRows(places: Places): NginxRow[] {
  const fastcgi = { protocol: "fastcgi" as const, address: places.fastcgi };
  return [
    {
      ...root,
      ...fastcgi,
      title: "nginx, fastcgi_params as they come",
      said: { SCRIPT_NAME: DECODED, ...said },
    },
    {
      ...root,
      ...fastcgi,
      title: "nginx, PATH_INFO $fastcgi_script_name and an empty SCRIPT_NAME",
      params: { PATH_INFO: "$fastcgi_script_name", SCRIPT_NAME: "" },
      said: { SCRIPT_NAME: "", PATH_INFO: DECODED, ...said },
    },
    {
      ...fastcgi,
      title: "nginx, fastcgi_split_path_info",
      path: `/sp${RAW}${QUERY}`,
      directives: ["fastcgi_split_path_info ^(/sp)(/.*)$"],
      params: { PATH_INFO: "$fastcgi_path_info" },
      said: { SCRIPT_NAME: "/sp", PATH_INFO: DECODED, REQUEST_URI: `/sp${RAW}${QUERY}` },
      scriptName: "/sp",
      pathInfo: DECODED,
    },
    {
      ...root,
      title: "nginx, scgi_params as they come",
      protocol: "scgi",
      address: places.scgi,
      said,
    },
  ];
}

/** A row of HAProxy, with its application. */
export type HaproxyRow = Row & Pick<HaproxySite, "application">;

/** HAProxy. */
export const haproxyRows: readonly HaproxyRow[] = [
  {
    title: "HAProxy, path-info ^(/x)(/.*)?$",
    path: `/x${RAW}${QUERY}`,
    application: ["path-info ^(/x)(/.*)?$"],
    said: { SCRIPT_NAME: "/x", PATH_INFO: DECODED, REQUEST_URI: `/x${RAW}${QUERY}` },
    scriptName: "/x",
    pathInfo: DECODED,
  },
  { ...root, title: "HAProxy without path-info", said: { SCRIPT_NAME: DECODED, ...said } },
];

/** Cherokee, whose bytes cherokee.ts writes: REQUEST_URI is decoded there. */
export const cherokeeRows: readonly Row[] = [
  {
    ...root,
    title: "Cherokee, default rule without check_file",
    said: {
      SCRIPT_NAME: "",
      PATH_INFO: DECODED,
      REQUEST_URI: DECODED + QUERY,
      SCRIPT_URL: DECODED,
    },
  },
  {
    title: "Cherokee, directory rule /sub",
    path: `/sub${RAW}${QUERY}`,
    said: {
      SCRIPT_NAME: "/sub",
      PATH_INFO: DECODED,
      REQUEST_URI: `/sub${DECODED}${QUERY}`,
      SCRIPT_URL: `/sub${DECODED}`,
    },
    scriptName: "/sub",
    pathInfo: DECODED,
  },
];

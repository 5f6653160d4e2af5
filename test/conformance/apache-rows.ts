/**
 * The table "who sets what", as far as it is about Apache: its proxy modules and mod_fcgid.
 *
 * Every row names its configuration as an operator would write it, what Apache then says, and what postern must make
 * of it. Starts nothing and sends nothing; the other servers' rows are in rows.ts.
 */
import { apacheTarget } from "../support/front/apache.ts";
import { DECODED, type Places, QUERY, RAW, type Row, root, said } from "./rows.ts";

/** A row of Apache, with its virtual host. */
export interface ApacheRow extends Row {
  readonly directives: readonly string[];
}

/** Apache with its proxy modules. */
export function apacheRows(places: Places, documentRoot: string): ApacheRow[] {
  const fcgi = apacheTarget("fcgi", places.fastcgi, "localhost");
  const pass = `ProxyPass / "${fcgi}" retry=0`;
  const whole = { SCRIPT_NAME: DECODED, ...said };
  const pathInfo = (value: string): string[] => [
    `SetEnvIf Request_URI . proxy-fcgi-pathinfo=${value}`,
    pass,
  ];
  return [
    {
      ...root,
      title: "Apache, rewritten to /mysite.fcgi in a virtual host, SetHandler proxy:fcgi",
      directives: [
        `DocumentRoot ${documentRoot}`,
        "RewriteEngine On",
        "RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f",
        "RewriteRule ^/(.*)$ /mysite.fcgi/$1 [QSA,L]",
        '<FilesMatch "^mysite\\.fcgi">',
        `  SetHandler "proxy:${fcgi}"`,
        "</FilesMatch>",
      ],
      said: { SCRIPT_NAME: "", PATH_INFO: DECODED, SCRIPT_URL: DECODED, ...said },
    },
    { ...root, title: "Apache, ProxyPass / fcgi://", directives: [pass], said: whole },
    {
      ...root,
      title: "Apache, ProxyPass / fcgi:// with the rewrite engine on",
      directives: ["RewriteEngine On", pass],
      said: { ...whole, SCRIPT_URL: DECODED },
    },
    {
      ...root,
      title: "Apache, proxy-fcgi-pathinfo=unescape",
      directives: pathInfo("unescape"),
      said: { SCRIPT_NAME: "", PATH_INFO: DECODED, ...said },
    },
    {
      ...root,
      title: "Apache, proxy-fcgi-pathinfo=1",
      directives: pathInfo("1"),
      said: { ...whole, PATH_INFO: RAW },
    },
    {
      title: "Apache, proxy-fcgi-pathinfo=first-dot",
      path: `/app.js${RAW}${QUERY}`,
      directives: pathInfo("first-dot"),
      said: { SCRIPT_NAME: "/app.js", PATH_INFO: DECODED, REQUEST_URI: `/app.js${RAW}${QUERY}` },
      scriptName: "/app.js",
      pathInfo: DECODED,
    },
    {
      ...root,
      title: "Apache, proxy-fcgi-pathinfo=full",
      directives: pathInfo("full"),
      said: whole,
    },
    {
      title: "Apache, SetHandler in <Location /pre>",
      path: `/pre${RAW}${QUERY}`,
      directives: ["<Location /pre>", `  SetHandler "proxy:${fcgi}"`, "</Location>"],
      said: { SCRIPT_NAME: "/pre", PATH_INFO: DECODED, REQUEST_URI: `/pre${RAW}${QUERY}` },
      scriptName: "/pre",
      pathInfo: DECODED,
    },
    {
      ...root,
      title: "Apache, ProxyPass / scgi://",
      directives: [`ProxyPass / "${apacheTarget("scgi", places.scgi, "localhost")}" retry=0`],
      said: whole,
    },
    {
      ...root,
      title: "Apache, ProxyPass / scgi:// with proxy-scgi-pathinfo=1",
      directives: [
        "SetEnvIf Request_URI . proxy-scgi-pathinfo=1",
        `ProxyPass / "${apacheTarget("scgi", places.scgi, "localhost")}" retry=0`,
      ],
      said: { ...whole, PATH_INFO: RAW },
    },
    {
      ...root,
      title: "Apache, ProxyPass /front ajp://…/back: the path comes mapped",
      path: `/front${RAW}${QUERY}`,
      directives: [
        `ProxyPass /front "${apacheTarget("ajp", places.ajp, "localhost", "/back")}" retry=0`,
      ],
      said: undefined,
      pathInfo: `/back${DECODED}`,
      url: `/back${RAW}${QUERY}`,
    },
  ];
}

/** Apache with mod_fcgid and an .htaccess file, at the root and in the folder /sub. */
export const fcgidRows: readonly Row[] = [
  {
    ...root,
    title: "Apache, .htaccess and mod_fcgid at the root",
    said: { SCRIPT_NAME: "/mysite.fcgi", PATH_INFO: DECODED, REDIRECT_URL: DECODED, ...said },
  },
  {
    title: "Apache, .htaccess and mod_fcgid in the folder /sub",
    path: "/sub/polls/1/?x=1",
    said: {
      SCRIPT_NAME: "/sub/mysite.fcgi",
      PATH_INFO: "/polls/1/",
      REDIRECT_URL: "/sub/polls/1/",
      REQUEST_URI: "/sub/polls/1/?x=1",
    },
    scriptName: "/sub",
    pathInfo: "/polls/1/",
  },
  {
    title: "Apache, mod_fcgid, the script visited directly",
    path: "/mysite.fcgi/x?x=1",
    said: {
      SCRIPT_NAME: "/mysite.fcgi",
      PATH_INFO: "/x",
      REQUEST_URI: "/mysite.fcgi/x?x=1",
    },
    scriptName: "/mysite.fcgi",
    pathInfo: "/x",
  },
];

/**
 * A site → a pair of files for shared hosting: an executable app.fcgi that mod_fcgid starts, and the .htaccess beside it.
 *
 * Apache passes the listening socket on descriptor 0; there is no address to choose, and no other file to change. Both
 * go into the folder that the web server shows (reference: S2c, S3, S4).
 */
import { UsageError } from "../errors.ts";
import { type Rendered, shellWord, type Site } from "./site.ts";

/** The script: touched, it makes the application start anew. */
function script({ start }: Site): string {
  if (start.app === undefined) {
    throw new UsageError(
      'apache-htaccess needs the application, which its script starts; write its path, as in "postern config apache-htaccess ./app.js".',
    );
  }
  const own = start.options.filter((word) => !start.address.includes(word));
  const words = [start.node, start.postern, start.app, ...own].map(shellWord);
  return `#!/bin/sh
# Apache starts this and passes the socket on descriptor 0. To load new code: touch app.fcgi
exec ${words.join(" ")}
`;
}

/** Both files. */
export function renderHtaccess(site: Site): Rendered {
  const base = site.prefix === "" ? "/" : `${site.prefix}/`;
  const lines = [
    "Options +ExecCGI",
    "AddHandler fcgid-script .fcgi",
    "# Without this Authorization stays with Apache.",
    "CGIPassAuth On",
    "RewriteEngine On",
    `RewriteBase ${base}`,
    "# Files that are there are sent as they are; everything else is the application's.",
    "RewriteCond %{REQUEST_FILENAME} !-f",
    "RewriteRule ^(.*)$ app.fcgi/$1 [QSA,L]",
  ];
  return {
    files: [
      { path: ".htaccess", text: `${lines.join("\n")}\n` },
      { path: "app.fcgi", text: script(site), isExecutable: true },
    ],
  };
}

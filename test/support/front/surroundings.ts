/**
 * A front server's name and a piece of its configuration, as documents show it → whole files that it takes.
 *
 * The piece stays as it is but for the port it listens on. Starts nothing and sends nothing.
 */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apacheModules, apacheName, fcgidModule, sslModule } from "./apache.ts";
import { findProgram, isRoot, workerAccount } from "./child.ts";
import { serverObstacle } from "./front-server.ts";

/** Files that are written, and how the server is called with them. */
export interface Written {
  readonly program: string;
  /** Parameters for the syntax check. */
  readonly check: readonly string[];
  /** Parameters to run in the foreground. */
  readonly run: readonly string[];
}

/** What stands around a piece of configuration. */
export interface Surroundings {
  /** Why it cannot be proved here; undefined: it can. */
  obstacle(piece: string): string | undefined;
  /** Writes the files into a folder; `port` is the one to listen on. */
  write(folder: string, piece: string, port: number): Written;
}

const APACHE_MODULES: readonly string[] = [
  "mpm_event",
  "authn_core",
  "authz_core",
  "proxy",
  "proxy_fcgi",
  "proxy_scgi",
  "proxy_ajp",
  "proxy_http",
  "proxy_balancer",
  "lbmethod_bybusyness",
  "slotmem_shm",
  "rewrite",
  "setenvif",
  "headers",
  "env",
  "alias",
  "mime",
  "dir",
];
const usesFcgid = (piece: string): boolean => /fcgid/i.test(piece);
const usesTls = (piece: string): boolean => piece.includes("SSLEngine on");

/** Writes a file; returns its path. */
function put(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const nginx: Surroundings = {
  obstacle: () => serverObstacle("nginx"),
  write(folder, piece, port) {
    for (const name of ["fastcgi_params", "scgi_params"]) {
      if (existsSync(`/etc/nginx/${name}`)) {
        copyFileSync(`/etc/nginx/${name}`, join(folder, name));
      }
    }
    const temporary = ["client_body", "fastcgi", "scgi", "proxy", "uwsgi"];
    const path = put(
      folder,
      "nginx.conf",
      `${isRoot ? "user root;" : ""}
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 64; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${folder}/nginx-${name};`).join("\n")}
${piece.replace(/listen \d+( ssl)?;/g, `listen 127.0.0.1:${port}$1;`)}
}
`,
    );
    const words = ["-p", folder, "-c", path, "-e", `${folder}/nginx.log`];
    return { program: findProgram("nginx")!, check: ["-t", ...words], run: words };
  },
};

const apache: Surroundings = {
  obstacle: (piece) =>
    serverObstacle(
      apacheName(),
      usesFcgid(piece) ? fcgidModule() : usesTls(piece) ? sslModule() : undefined,
    ),
  write(folder, piece, port) {
    const modules = [
      ...APACHE_MODULES,
      ...(usesFcgid(piece) ? ["fcgid"] : []),
      ...(usesTls(piece) ? ["ssl"] : []),
    ];
    const { user, group } = workerAccount();
    const path = put(
      folder,
      "apache.conf",
      `ServerRoot ${folder}
ServerName localhost
DefaultRuntimeDir ${folder}
PidFile ${folder}/apache.pid
ErrorLog ${folder}/apache.log
TypesConfig ${put(folder, "mime.types", "text/plain txt\ntext/css css\n")}
${isRoot ? `User ${user}\nGroup ${group}` : ""}
${modules
  .map((name) => [name, `${apacheModules()}/mod_${name}.so`])
  .filter(([, file]) => existsSync(file!))
  .map(([name, file]) => `LoadModule ${name}_module ${file}`)
  .join("\n")}
${modules.includes("fcgid") ? `FcgidIPCDir ${folder}/fcgid\nFcgidProcessTableFile ${folder}/fcgid-table` : ""}
Listen 127.0.0.1:${port}
${piece.replace(/<VirtualHost \*:\d+>/g, `<VirtualHost 127.0.0.1:${port}>`)}
`,
    );
    const words = ["-f", path];
    return {
      program: findProgram(apacheName())!,
      check: ["-t", ...words],
      run: [...words, "-DFOREGROUND"],
    };
  },
};

const lighttpd: Surroundings = {
  obstacle: () => serverObstacle("lighttpd"),
  write(folder, piece, port) {
    mkdirSync(join(folder, "lighttpd-uploads"), { recursive: true });
    const path = put(
      folder,
      "lighttpd.conf",
      `server.document-root = "${folder}"
server.upload-dirs = ( "${folder}/lighttpd-uploads" )
server.bind = "127.0.0.1"
server.port = ${port}
mimetype.assign = ( ".css" => "text/css" )
${piece}
`,
    );
    return {
      program: findProgram("lighttpd")!,
      check: ["-tt", "-f", path],
      run: ["-D", "-f", path],
    };
  },
};

const haproxy: Surroundings = {
  obstacle: () => serverObstacle("haproxy"),
  write(folder, piece, port) {
    const path = put(
      folder,
      "haproxy.cfg",
      `global
  log stderr format short daemon
  nbthread 1
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
${piece.replace(/bind :\d+/g, `bind 127.0.0.1:${port}`)}
`,
    );
    const words = ["-f", path];
    return {
      program: findProgram("haproxy")!,
      check: ["-c", ...words],
      run: ["-db", ...words],
    };
  },
};

const caddy: Surroundings = {
  obstacle: () => serverObstacle("caddy"),
  write(folder, piece) {
    const global = `{
  admin off
  auto_https off
  storage file_system ${folder}/caddy
}
`;
    const path = put(folder, "Caddyfile", global + piece);
    const words = ["--config", path, "--adapter", "caddyfile"];
    return {
      program: findProgram("caddy")!,
      check: ["validate", ...words],
      run: ["run", ...words],
    };
  },
};

const ALL: Readonly<Record<string, Surroundings>> = { nginx, apache, lighttpd, haproxy, caddy };

/** The surroundings of a server's configuration. */
export function surroundingsOf(server: string): Surroundings {
  const found = ALL[server];
  if (found === undefined) throw new Error(`no surroundings for ${server}`);
  return found;
}

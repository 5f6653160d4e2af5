/**
 * Servers of other makes that say hello: nginx, libfcgi, php-fpm, Go, uWSGI, Tomcat; each where it is installed.
 * Writes their configuration into the task's folder; programs of ours are compiled there.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { addressText, type Command, type Contender, needs, type Task, which } from "./contender.ts";
import { programs } from "./place.ts";

const HELLO = ["hello"] as const;
const PHP = ["8.5", "8.4", "8.3", "8.2", "8.1", "8.0", "7.4"].map((version) => `php-fpm${version}`);

/** A program that prints `listening`, found or made beforehand. */
const saying = (program: string, ...parameters: readonly string[]): Command => ({
  program,
  parameters,
  says: true,
});
const silent = (program: string, ...parameters: readonly string[]): Command => ({
  program,
  parameters,
  says: false,
});

const nginx: Contender = {
  name: "nginx return 200",
  protocol: "http",
  handlers: ["hello", "fetch"],
  overs: ["unix", "tcp"],
  missing: () => needs("nginx"),
  command: ({ address, folder }) => {
    const file = join(folder, "nginx.conf");
    const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map((name) => `  ${name}_temp_path ${join(folder, name)};`)
      .join("\n");
    writeFileSync(
      file,
      `daemon off;
master_process off;
pid ${join(folder, "nginx.pid")};
error_log stderr crit;
events { worker_connections 20000; }
http {
${paths}
  access_log off;
  default_type text/plain;
  keepalive_requests 1000000000;
  server {
    listen ${addressText(address)} backlog=511;
    location / { return 200 "hello world\\n"; }
  }
}
`,
    );
    return silent(which("nginx")!, "-p", folder, "-c", file);
  },
};

const HEADERS = ["/usr/include/fcgiapp.h", "/usr/local/include/fcgiapp.h"];

const libfcgi: Contender = {
  name: "libfcgi (c=1)",
  protocol: "fastcgi",
  handlers: HELLO,
  overs: ["unix", "tcp"],
  connectionsMax: 1,
  missing: () =>
    needs("cc") ??
    (HEADERS.some((path) => existsSync(path)) ? undefined : "libfcgi-dev is not installed"),
  command: ({ address, folder }) => {
    const program = join(folder, "libfcgi");
    execFileSync("cc", ["-O2", "-o", program, join(programs, "libfcgi.c"), "-lfcgi"]);
    return saying(program, "socket" in address ? address.socket : `:${address.port}`);
  },
};

const phpFpm: Contender = {
  name: "php-fpm (c=1)",
  protocol: "fastcgi",
  handlers: HELLO,
  overs: ["unix", "tcp"],
  connectionsMax: 1,
  children: true,
  load: ["--script", join(programs, "hello.php")],
  missing: () => (PHP.some(which) ? undefined : "php-fpm not found"),
  command: ({ address, folder }) => {
    const file = join(folder, "php-fpm.conf");
    const owner = process.getuid?.() === 0 ? "user = root\ngroup = root\n" : "";
    writeFileSync(
      file,
      `[global]
error_log = ${join(folder, "php-fpm.log")}
log_level = error
daemonize = no
[www]
${owner}listen = ${"socket" in address ? address.socket : addressText(address)}
pm = static
pm.max_children = 1
`,
    );
    const asRoot = owner === "" ? [] : ["-R"];
    return silent(which(PHP.find(which)!)!, "-F", ...asRoot, "-n", "-y", file);
  },
};

function go(kind: "fcgi" | "http"): Contender {
  return {
    name: `Go net/http${kind === "fcgi" ? "/fcgi" : ""}`,
    protocol: kind === "fcgi" ? "fastcgi" : "http",
    handlers: HELLO,
    overs: ["unix", "tcp"],
    missing: () => needs("go"),
    command: ({ address, folder }) => {
      const program = join(folder, "hello");
      execFileSync("go", ["build", "-o", program, join(programs, "main.go")]);
      const over = "socket" in address ? "unix" : "tcp";
      return saying(program, kind, over, addressText(address, ""));
    },
  };
}

const uwsgi: Contender = {
  name: "uWSGI scgi",
  protocol: "scgi",
  handlers: HELLO,
  overs: ["unix", "tcp"],
  missing: () => needs("uwsgi"),
  command: ({ address, folder }) => {
    const where = ["--scgi-socket", addressText(address, ""), "--listen", "100"];
    const what = ["--plugin", "python3", "--wsgi-file", join(programs, "wsgi.py")];
    const quiet = ["--disable-logging", "--need-app", "--chdir", folder];
    return silent(which("uwsgi")!, ...where, ...what, ...quiet);
  },
};

const TOMCATS = ["/usr/share/tomcat10", "/usr/share/tomcat9", process.env["CATALINA_HOME"] ?? ""];

function tomcatBase({ address, folder, packetBytes }: Task): string {
  const base = join(folder, "tomcat");
  const pages = join(base, "webapps/ROOT");
  for (const path of [pages, join(base, "conf"), join(base, "logs"), join(base, "temp")]) {
    mkdirSync(path, { recursive: true });
  }
  cpSync(join(programs, "hello.jsp"), join(pages, "index.jsp"));
  const home = TOMCATS.find((path) => path !== "" && existsSync(path))!;
  for (const name of ["web.xml", "catalina.properties"]) {
    const path = ["etc", "conf"].map((part) => join(home, part, name)).find(existsSync);
    if (path !== undefined) cpSync(path, join(base, "conf", name), { dereference: true });
  }
  const port = "port" in address ? address.port : 0;
  writeFileSync(
    join(base, "conf/server.xml"),
    `<Server port="-1"><Service name="Catalina">
<Connector protocol="AJP/1.3" address="127.0.0.1" port="${port}" secretRequired="false"
  packetSize="${packetBytes}" maxConnections="20000" />
<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps" /></Engine>
</Service></Server>
`,
  );
  return base;
}

const tomcat: Contender = {
  name: "Tomcat ajp",
  protocol: "ajp",
  handlers: HELLO,
  overs: ["tcp"],
  missing: () =>
    needs("java") ??
    (TOMCATS.some((path) => path !== "" && existsSync(join(path, "bin/bootstrap.jar")))
      ? undefined
      : "Tomcat not found"),
  command: (task) => {
    const home = TOMCATS.find((path) => path !== "" && existsSync(path))!;
    const base = tomcatBase(task);
    const jars = ["bootstrap.jar", "tomcat-juli.jar"].map((name) => join(home, "bin", name));
    const places = [`-Dcatalina.home=${home}`, `-Dcatalina.base=${base}`];
    const temporary = `-Djava.io.tmpdir=${join(base, "temp")}`;
    const start = ["org.apache.catalina.startup.Bootstrap", "start"];
    return silent(which("java")!, "-cp", jars.join(":"), ...places, temporary, ...start);
  },
};

/** All of them, whether installed or not. */
export const foreignServers: readonly Contender[] = [
  nginx,
  libfcgi,
  phpFpm,
  go("fcgi"),
  go("http"),
  uwsgi,
  tomcat,
];

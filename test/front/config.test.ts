/**
 * `postern config`, as a command: what it refuses and how it says so, what depends on a version, and the files of servers that
 * no package brings.
 *
 * What the servers themselves make of it is test/conformance/config.test.ts.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeProgram, type Program } from "../cli/program.ts";
import { projectRoot } from "../support/documents.ts";
import { findProgram } from "../support/front/child.ts";
import { TARGETS } from "../../src/front/render.ts";

let program: Program;
beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(join(program.folder, "app.cjs"), "module.exports = (req, res) => res.end('x');\n");
  writeFileSync(join(program.folder, "blank"), "a secret with blanks in it\n");
  mkdirSync(join(program.folder, "media"));
});
afterAll(() => program.clear());

async function print(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await program.run(["config", ...words]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

const TLS = ["--tls-certificate", "/c.pem", "--tls-key", "/k.pem"];

test.each([
  [[], /^Which web server\? Write one of nginx, apache,/],
  [["ngix"], /"ngix"; did you mean nginx\?/],
  [["nginx", "--protocol", "ajp"], /^nginx does not speak AJP; give protocol fastcgi or scgi\./],
  [["haproxy", "--protocol", "scgi"], /^HAProxy does not speak SCGI; give/],
  [["caddy", "--protocol", "ajp"], /^Caddy does not speak AJP; give/],
  [["cherokee", "--protocol", "http"], /^Cherokee does not speak HTTP; give/],
  [["apache", "--protocol", "ajp", "--port", "8009"], /^AJP on a port needs a secret of 16 bytes/],
  [["apache", "--protocol", "ajp", "--ajp.secret-file", "blank"], /^The AJP secret has blanks/],
  [
    ["lighttpd", "--protocol", "ajp", "--port", "8009", "--ajp.secret", "0123456789abcdef"],
    /^lighttpd sends no AJP secret/,
  ],
  [["nginx", "--fd", "3"], /^fd names a socket of somebody else's; give socket or port/],
  [["nginx", "--backend", "nowhere"], /^--backend is "nowhere"; it takes/],
  [["nginx", "--backend", "a:99999"], /^--backend is "a:99999"; it takes/],
  [["nginx", "--listen-port", "0"], /^--listen-port is 0; it takes a whole/],
  [["nginx", "--tls-key", "/k.pem"], /^TLS needs two files; give/],
  [["nginx", "--server-version", "new"], /^--server-version is "new"; it takes numbers/],
  [["nginx", "--websocket", "/ws/"], /^websocket needs another protocol behind nginx/],
  [["apache", "--websocket", "/ws/"], /^websocket needs another protocol behind Apache/],
  [["haproxy", "--websocket", "/ws/"], /^websocket needs another protocol behind HAProxy/],
  [["caddy", "--websocket", "/ws/"], /^websocket needs another protocol behind Caddy/],
  [["cherokee", "--websocket", "/ws/"], /^Cherokee passes no WebSocket on/],
  [
    ["lighttpd", "--websocket", "/ws/", "--server-version", "1.4.69"],
    /^websocket needs lighttpd 1\.4\.74/,
  ],
  [["haproxy", "--static", "/media/=media"], /^HAProxy sends no files itself; leave out static/],
  [["caddy", ...TLS, "--tls-client-ca", "/a.pem"], /^Caddy tells a FastCGI application nothing/],
  [["cherokee", ...TLS], /^TLS of Cherokee is set/],
  [["iis"], /^iis needs the application/],
  [["iis", "app.cjs"], /^IIS passes a named pipe/],
  [["systemd"], /^systemd needs the application/],
  [["apache-htaccess"], /^apache-htaccess needs the application/],
  [["nginx", "--script-name", "/a b"], /^scriptName is "\/a b", which no web server's rule/],
  [["nginx", "--sockt", "/x"], /Unknown option --sockt; did you mean --socket\?/],
  [["nginx", "app.cjs", "more"], /Unknown word "more" after the application/],
  [["nginx", "--version"], /^postern config says no version/],
] as const)("config %j is refused by one sentence", async (words, sentence) => {
  const { code, stdout, stderr } = await program.run(["config", ...words]);
  expect(stderr).toMatch(/^postern: [^\n]+\n$/);
  expect(stderr.slice("postern: ".length)).toMatch(sentence);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});

test("its help names every web server and every option of its own", async () => {
  const help = await print("--help");
  for (const { name } of TARGETS) expect(help).toContain(`\n  ${name} `);
  for (const name of ["--server-name", "--backend", "--tls-client-ca", "--out"]) {
    expect(help).toContain(name);
  }
  expect(await print("nginx", "-h")).toBe(help);
});

test("files are written once, the script as a program, and never over others", async () => {
  const words = ["apache-htaccess", "app.cjs", "--out", "public"];
  const folder = join(program.folder, "public");
  const said = await print(...words);
  expect(said).toBe(`${join(folder, ".htaccess")}\n${join(folder, "app.fcgi")}\n`);
  expect(statSync(join(folder, "app.fcgi")).mode & 0o777).toBe(0o755);
  const before = readFileSync(join(folder, "app.fcgi"), "utf8");
  const again = await program.run(["config", ...words]);
  expect(again.code).toBe(2);
  expect(again.stderr).toMatch(/\.htaccess" is there already and is not written over; move it, or/);
  expect(readFileSync(join(folder, "app.fcgi"), "utf8")).toBe(before);
});

describe("what depends on a version", () => {
  const bufferingOff = "scgi_request_buffering off;";
  test("nginx streams uploads over SCGI from 1.29.6 on", async () => {
    const words = ["nginx", "--protocol", "scgi", "--server-version"];
    expect(await print(...words, "1.29.6")).toContain(bufferingOff);
    expect(await print(...words, "1.29.5")).not.toContain(bufferingOff);
    expect(await print(...words, "1.29.6", "--buffer")).not.toContain("buffering off");
  });
  test("lighttpd passes WebSockets on from 1.4.74 on", async () => {
    const words = ["lighttpd", "--websocket", "/ws/", "--server-version", "1.4.74"];
    expect(await print(...words)).toContain('"upgrade" => "enable"');
  });
});

test("words of runfcgi do, paths become whole, and no option that says where to listen is doubled", async () => {
  const text = await print(
    "systemd",
    "app.cjs",
    "socket=s.sock",
    "pidfile=p",
    "errlog=-",
    "static=/media/=media",
  );
  const { folder } = program;
  const line = /^ExecStart=(.*)$/m.exec(text)![1]!;
  expect(line.split(" ").slice(2)).toEqual([
    join(folder, "app.cjs"),
    `--socket=${join(folder, "s.sock")}`,
    `--pidfile=${join(folder, "p")}`,
    "--errlog=-",
    `--static=/media/=${join(folder, "media")}`,
  ]);
});

describe("systemd", () => {
  test("has the lines of docs/systemd.md, in their order", async () => {
    const document = readFileSync(join(projectRoot, "docs/systemd.md"), "utf8");
    const [, unit] = /# app\.service\n([\s\S]*?)```/.exec(document)!;
    const own = new Set(
      (await print("systemd", "app.cjs", "--workers", "2", "--socket", "/run/app/app.sock")).split(
        "\n",
      ),
    );
    const wanted = unit!
      .split("\n")
      .filter((line) => !/^(ExecStart|ExecReload|WorkingDirectory|Description)=/.test(line));
    expect(wanted.filter((line) => !own.has(line))).toEqual([]);
  });

  const verify = findProgram("systemd-analyze");
  test.skipIf(verify === undefined)("passes systemd's own check", async () => {
    const file = join(program.folder, "app.service");
    // The check wants the account and the program to be there.
    const text = (await print("systemd", "app.cjs", "--workers", "2")).replace(
      "User=app",
      "User=root",
    );
    writeFileSync(file, text);
    execFileSync(verify!, ["verify", "--man=no", file], { stdio: "pipe" });
    writeFileSync(file, text.replace("[Service]", "[Service]\nRestrt=always"));
    const { stderr } = await program.run([], {
      shell: `'${verify}' verify --man=no '${file}'`,
    });
    expect(stderr).toContain("Restrt");
  });
});

/** Elements and attributes of an XML text, or what is wrong with it. */
function elementsOf(text: string): string[] {
  const open: string[] = [];
  const found: string[] = [];
  const rest = text.replace(/<\?[^?]*\?>|<!--[\s\S]*?-->/g, "");
  for (const [whole, slash, name, attributes = "", empty] of rest.matchAll(
    /<(\/?)([\w.]+)((?:\s+\w+="[^"<]*")*)\s*(\/?)>/g,
  )) {
    if (slash === "/") expect(open.pop(), whole).toBe(name);
    else {
      found.push(name!, ...[...attributes.matchAll(/\s(\w+)=/g)].map((match) => match[1]!));
      if (empty !== "/") open.push(name!);
    }
  }
  expect(open).toEqual([]);
  expect(rest.replaceAll(/<\/?[\w.]+(?:\s+\w+="[^"<]*")*\s*\/?>/g, "").trim()).toBe("");
  return found;
}

test("iis: a web.config that starts the application and speaks HTTP to it, with its words quoted", async () => {
  writeFileSync(join(program.folder, "my & app.cjs"), "");
  const text = await print(
    "iis",
    "my & app.cjs",
    "--protocol",
    "http",
    "--limits.body-bytes",
    "5000",
  );
  expect(elementsOf(text)).toContain("httpPlatform");
  expect(text).toContain("my &amp; app.cjs&quot;");
  expect(text).toContain("--port %HTTP_PLATFORM_PORT%");
  expect(text).toContain('maxAllowedContentLength="5000"');
});

test("cherokee: keys, each with a value, of a rule and its sources", async () => {
  const words = ["--port", "9000", "--backend", "127.0.0.1:9001", "--script-name", "/shop"];
  const lines = (await print("cherokee", ...words, "--static", "/media/=media", "--sticky"))
    .split("\n")
    .slice(3, -1);
  expect(lines.filter((line) => !/^[a-z]+![\w!]+ = \S.*$/.test(line))).toEqual([]);
  const keys = new Map(lines.map((line) => line.split(" = ") as [string, string]));
  expect(keys.size).toBe(lines.length);
  expect(keys.get("source!1!host")).toBe("127.0.0.1:9000");
  expect(keys.get("source!2!host")).toBe("127.0.0.1:9001");
  const rule = [...keys].find(([, value]) => value === "/shop")![0].replace("!match!directory", "");
  expect(keys.get(`${rule}!handler`)).toBe("fcgi");
  expect(keys.get(`${rule}!handler!balancer`)).toBe("ip_hash");
  expect([...keys.values()]).toContain(join(program.folder, "media"));
});

test("no file is made unless it was asked for", async () => {
  await print("nginx", "app.cjs");
  expect(existsSync(join(program.folder, "app.conf"))).toBe(false);
});

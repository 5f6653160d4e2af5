/**
 * `postern init`, as a command: what it writes, what it refuses, what it asks on a terminal, and that its steps end in an
 * application behind nginx within a minute.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { request } from "../../src/client/client.ts";
import { BEGINNINGS } from "../../src/cli/init-apps.ts";
import { packagesObstacle } from "../support/compat-packages.ts";
import { DocumentRoom } from "../support/document-room.ts";
import { Child, findProgram } from "../support/front/child.ts";
import { unlessObstacle } from "../support/front/front-server.ts";
import { whenListening } from "../support/front/ports.ts";
import { surroundingsOf } from "../support/front/surroundings.ts";
import { makeProgram, type Program } from "./program.ts";

/** The whole way of a new user may take this long, in milliseconds. */
const MINUTE_MS = 60_000;

let program: Program;
let room: DocumentRoom;
beforeAll(async () => {
  program = await makeProgram();
  room = await DocumentRoom.open();
});
afterAll(async () => {
  await program.clear();
  room.remove();
});

const textIn = (...path: string[]): string => readFileSync(join(program.folder, ...path), "utf8");

test("writes an application, a configuration, a unit and a package, and says what to do next", async () => {
  const { code, stdout, stderr } = await program.run([
    "init",
    "--dir",
    "shop",
    "--framework",
    "koa",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toMatch(
    /^wrote app\.mjs\nwrote deploy\/shop\.conf\nwrote deploy\/shop\.service\nwrote package\.json\n/,
  );
  expect(stdout).toContain("npx postern app.mjs --socket=/run/shop/shop.sock");
  expect(stdout).toContain("nginx -t");
  expect(textIn("shop", "app.mjs")).toContain('from "koa"');
  expect(textIn("shop", "deploy/shop.conf")).toContain("server unix:/run/shop/shop.sock;");
  expect(textIn("shop", "deploy/shop.conf")).toContain("server_name localhost;");
  expect(textIn("shop", "deploy/shop.service")).toContain(
    `WorkingDirectory=${join(program.folder, "shop")}`,
  );
  expect(JSON.parse(textIn("shop", "package.json"))).toMatchObject({
    name: "shop",
    type: "module",
    scripts: { start: "postern app.mjs --socket=/run/shop/shop.sock" },
    dependencies: { koa: "*" },
  });
});

test("passes words of serving and of config on, each to whom it is for", async () => {
  const words = [
    "--front",
    "apache",
    "--protocol",
    "scgi",
    "port=4000",
    "--server-name",
    "a.example",
  ];
  const { code } = await program.run(["init", "--dir", "blog", ...words]);
  expect(code).toBe(0);
  expect(textIn("blog", "deploy/app-4000.conf")).toContain("ServerName a.example");
  expect(textIn("blog", "deploy/app-4000.conf")).toContain("scgi://127.0.0.1:4000");
  expect(JSON.parse(textIn("blog", "package.json")).scripts.start).toBe(
    "postern app.mjs --protocol=scgi --port=4000",
  );
});

test("writes nothing where a file is in the way, over it with --force, and over package.json never", async () => {
  const folder = join(program.folder, "old");
  mkdirSync(folder);
  writeFileSync(join(folder, "app.mjs"), "mine\n");
  writeFileSync(join(folder, "package.json"), "{}\n");
  const refused = await program.run(["init", "--dir", "old"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /^postern: "[^"]+app\.mjs" is there already, so nothing is written; [^\n]+\n$/,
  );
  expect(readdirSync(folder).sort()).toEqual(["app.mjs", "package.json"]);
  expect((await program.run(["init", "--dir", "old", "--force"])).code).toBe(0);
  expect(textIn("old", "app.mjs")).not.toBe("mine\n");
  expect(textIn("old", "package.json")).toBe("{}\n");
});

test.each([
  [["--framework", "expres"], /^--framework is "expres"; did you mean express\?/],
  [["--front", "ngix"], /^--front is "ngix"; did you mean nginx\?/],
  [["--name", "a/b"], /^--name is "a\/b"; it takes 1 to 40 letters/],
  [["--name="], /^--name has no value; write it behind\./],
  [["express"], /^postern init takes no word "express"; write options/],
  [["--dir", "no", "--sockt", "/x"], /^Unknown option --sockt; did you mean --socket\?/],
  [["--dir", "no", "--protocol", "ajp"], /^nginx does not speak AJP/],
] as const)("init %j is refused by one sentence", async (words, sentence) => {
  const { code, stdout, stderr } = await program.run(["init", ...words]);
  expect(stderr.replace(/^postern: /, "")).toMatch(sentence);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(existsSync(join(program.folder, "no/app.mjs"))).toBe(false);
});

test("its help names every framework", async () => {
  const { stdout } = await program.run(["init", "--help"]);
  for (const { name } of BEGINNINGS) expect(stdout).toContain(name);
});

test("asks on a terminal for what no word says", async (context) => {
  const script = findProgram("script");
  unlessObstacle(context, script === undefined ? "script is not installed" : undefined);
  const bin = join(room.path, "node_modules/.bin/postern");
  const folder = join(room.path, "asked");
  const child = spawn(script!, ["-qec", `${bin} init --dir ${folder} --name asked`, "/dev/null"]);
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    // Without what moves the cursor.
    said += part.replace(/\u001b\[[\d;]*[A-Za-z]/g, "");
    if (/Framework \([^)]*\) \[plain\]: $/.test(said)) child.stdin.write("hono\n");
    if (/Web server \([^)]*\) \[nginx\]: $/.test(said)) child.stdin.write("\n");
  });
  const code = await new Promise((done) => child.once("close", done));
  expect({ code, said }).toMatchObject({ code: 0 });
  expect(said).not.toContain("Name of");
  expect(readFileSync(join(folder, "app.mjs"), "utf8")).toContain('from "hono"');
  expect(existsSync(join(folder, "deploy/asked.conf"))).toBe(true);
});

test("from an empty folder to Express behind nginx in less than a minute", async (context) => {
  unlessObstacle(context, packagesObstacle("express"));
  unlessObstacle(context, surroundingsOf("nginx").obstacle(""));
  const begin = performance.now();
  const bin = join(room.path, "node_modules/.bin/postern");
  const folder = join(room.path, "hello");
  const socket = join(room.path, "h.sock");
  const port = room.port("80");
  const listen = ["--listen-host", "127.0.0.1", "--listen-port", String(port)];
  const words = ["--framework", "express", "--front", "nginx", "--socket", socket, ...listen];
  execFileSync(bin, ["init", "--dir", folder, ...words]);
  const serving = new Child(bin, ["app.mjs", `--socket=${socket}`, "--mode=666"], { cwd: folder });
  await whenListening({ socket }, () => serving.isAlive);
  const direct = await request({ protocol: "fastcgi", address: { socket }, url: "/" });
  expect(await direct.text()).toBe("Hello from Express over fastcgi\n");
  const text = readFileSync(join(folder, "deploy/h.conf"), "utf8");
  const { program: nginx, check, run } = surroundingsOf("nginx").write(room.path, text, port);
  execFileSync(nginx, check, { stdio: "pipe" });
  const front = new Child(nginx, run, { cwd: room.path });
  try {
    await whenListening({ host: "127.0.0.1", port }, () => front.isAlive);
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe("Hello from Express over fastcgi\n");
    expect(performance.now() - begin).toBeLessThan(MINUTE_MS);
  } finally {
    await front.stop();
    await serving.stop();
  }
});

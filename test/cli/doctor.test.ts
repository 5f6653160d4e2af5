/**
 * `postern doctor`: real gateways and real sockets with something wrong, and the set-ups that `postern config` prints, which
 * have nothing.
 */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/front/finding.ts";
import { makeProgram, type Program } from "./program.ts";

let program: Program;
const at = (name: string): string => join(program.folder, name);
const APP = 'module.exports = (req, res) => res.end("hi");\n';

/** What it finds: exit status and findings. The engine is this folder's own, which has no addon. */
async function examine(...words: string[]): Promise<[number | null, Finding[]]> {
  const { code, stdout, stderr } = await program.run(["doctor", "--json", ...words]);
  expect(stderr).toBe("");
  const findings = JSON.parse(stdout) as Finding[];
  return [code, findings.filter(({ id }) => id !== "engine")];
}

const ids = (findings: readonly Finding[]): string[] => findings.map(({ id }) => id);

beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(at("app.cjs"), APP);
});
afterAll(() => program.clear());

describe("a gateway", () => {
  test("that is well, in each protocol", async () => {
    for (const protocol of ["fastcgi", "scgi", "ajp"]) {
      const socket = at(`${protocol}.sock`);
      const words = ["app.cjs", "--socket", socket, "--protocol", protocol, "--mode", "666"];
      const running = program.start(words);
      await running.started;
      expect(await examine(`${protocol}+unix:${socket}`)).toEqual([1, []]);
      running.child.kill("SIGTERM");
      await running.ended;
    }
  });

  test("that speaks another protocol", async () => {
    const socket = at("other.sock");
    const words = ["app.cjs", "--socket", socket, "--protocol", "ajp", "--mode", "666"];
    const running = program.start(words);
    await running.started;
    const [code, findings] = await examine(socket);
    expect([code, ids(findings)]).toEqual([1, ["protocol"]]);
    expect(findings[0]!.cause).toBe("It speaks ajp, and fastcgi was asked for.");
    expect(findings[0]!.fix).toContain("--protocol fastcgi");
    running.child.kill("SIGTERM");
    await running.ended;
  });

  test("that wants an AJP secret, or another one", async () => {
    const socket = at("secret.sock");
    writeFileSync(at("secret"), "0123456789abcdef0123456789abcdef\n", { mode: 0o600 });
    writeFileSync(at("wrong"), "fedcba9876543210fedcba9876543210\n", { mode: 0o600 });
    const words = ["--socket", socket, "--protocol", "ajp", "--ajp.secret-file", at("secret")];
    const running = program.start(["app.cjs", ...words, "--mode", "666"]);
    await running.started;
    const place = `ajp+unix:${socket}`;
    const [, none] = await examine(place);
    expect(none.map(({ id, cause }) => [id, cause.slice(0, 20)])).toEqual([
      ["ajp-secret", "It wants a secret (o"],
    ]);
    const [, other] = await examine(place, "--ajp.secret-file", at("wrong"));
    expect(other[0]?.cause).toMatch(/^It wants another secret than the one in that file/);
    expect(await examine(place, "--ajp.secret-file", at("secret"))).toEqual([1, []]);
    running.child.kill("SIGTERM");
    await running.ended;
  });

  test("that is not there, by socket and by port", async () => {
    const [, none] = await examine(at("absent.sock"));
    expect(none[0]).toMatchObject({ id: "silent", cause: "There is no such socket." });
    const [, closed] = await examine("fastcgi://127.0.0.1:1");
    expect(closed[0]).toMatchObject({ id: "silent", cause: "Nobody listens there." });
  });

  test("whose socket, or a folder above it, is closed to the web server", async () => {
    const socket = at("closed.sock");
    const running = program.start(["app.cjs", "--socket", socket, "--mode", "600"]);
    await running.started;
    const [, findings] = await examine(socket);
    expect(ids(findings)).toEqual(["socket-mode"]);
    expect(findings[0]).toMatchObject({ where: socket });
    expect(findings[0]!.cause).toMatch(
      /^The web server's user \S+ may not connect \(mode 600\)\.$/,
    );
    expect(findings[0]!.fix).toMatch(/^Start postern with --mode 660 --group \S+\.$/);
    running.child.kill("SIGTERM");
    await running.ended;
    mkdirSync(at("inner"));
    chmodSync(at("inner"), 0o700);
    const second = program.start(["app.cjs", "--socket", at("inner/s"), "--mode", "666"]);
    await second.started;
    const [, shut] = await examine(at("inner/s"));
    expect(shut[0]).toMatchObject({ id: "socket-mode", where: at("inner") });
    second.child.kill("SIGTERM");
    await second.ended;
  });

  test("whose port is open to the world", async () => {
    const words = [
      "--host",
      "0.0.0.0",
      "--port",
      "0",
      "--trust.peers",
      "127.0.0.0/8",
      "--trust.allow-remote",
    ];
    const running = program.start(["app.cjs", ...words]);
    const port = /:(\d+),/.exec(await running.started)![1]!;
    const [, findings] = await examine(`127.0.0.1:${port}`);
    expect(ids(findings)).toEqual(["exposed"]);
    expect(findings[0]!.fix).toContain("--host 127.0.0.1");
    running.child.kill("SIGTERM");
    await running.ended;
  });

  test("without the addon: the engine, and why", async () => {
    const socket = at("slow.sock");
    const running = program.start(["app.cjs", "--socket", socket, "--mode", "666"]);
    await running.started;
    const { code, stdout } = await program.run(["doctor", socket]);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^this installation: engine\n {2}The TypeScript engine serves.*: .+\.\n {2}Write: /,
    );
    expect(stdout).toMatch(/\n1 finding\n$/);
    running.child.kill("SIGTERM");
    await running.ended;
  });
});

test.each([
  ["--protocol=fastcgi", "--socket=/run/app/app.sock"],
  ["--protocol=scgi", "--port=4000"],
  ["--protocol=fastcgi", "--port=9000", "--backend=127.0.0.1:9001"],
  ["--protocol=fastcgi", "--port=9000", "--script-name=/shop"],
  ["--protocol=fastcgi", "--port=9000", "--buffer"],
  ["--protocol=scgi", "--port=9000", "--buffer", "--sticky", "--backend=127.0.0.1:9001"],
  ["--protocol=fastcgi", "--port=9000", "--static=/media/=/srv/media"],
  ["--protocol=fastcgi", "--port=9000", "--limits.body-bytes=Infinity"],
  ["--protocol=auto", "--socket=/run/app/app.sock", "--websocket=/ws/"],
  ["--protocol=fastcgi", "--port=9000", "--tls-certificate=/a.pem", "--tls-key=/b.pem"],
])("what postern config prints for nginx has nothing wrong: %s %s %s", async (...words) => {
  const printed = await program.run(["config", "nginx", ...words]);
  expect(printed.code).toBe(0);
  writeFileSync(at("app.conf"), printed.stdout);
  const { code, stdout, stderr } = await program.run(["doctor", at("app.conf")]);
  expect([code, stdout, stderr]).toEqual([0, "All is well.\n", ""]);
});

test.each([
  [[], "postern doctor needs a place"],
  [["--jsn"], "Unknown option '--jsn'; postern doctor --help lists all."],
  [["app.cjs"], "passes nothing to FastCGI or SCGI"],
  [["apache.conf"], "is not nginx's; the doctor reads no other configuration yet"],
  [["gopher://h"], 'The protocol of the address is "gopher"'],
] as const)("doctor %j ends with status 2 and a sentence", async (words, sentence) => {
  writeFileSync(at("apache.conf"), "<VirtualHost *:80>\n</VirtualHost>\n");
  writeFileSync(at("app.cjs"), APP);
  const { code, stdout, stderr } = await program.run(["doctor", ...words]);
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(sentence);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});

test("its help names what it takes and its exit statuses", async () => {
  const { code, stdout } = await program.run(["doctor", "--help"]);
  expect(code).toBe(0);
  for (const word of ["FILE", "ADDRESS", "--protocol", "--json", "Exit status 0"]) {
    expect(stdout).toContain(word);
  }
});

/**
 * `postern request`, `ping` and `get-values` as processes of their own, against applications served by postern.
 *
 * What the client library puts on the wire is for test/client; here it is words, output and exit statuses.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts } from "../support/front/ports.ts";
import { listenScripted } from "../support/scripted-peer.ts";
import { type ClientScene, openClientScene, RUNNABLE, SECRET, SPOKEN } from "./client-scene.ts";

describe.each(RUNNABLE)("%s", (configuration) => {
  let scene: ClientScene;
  beforeAll(async () => {
    scene = await openClientScene(configuration);
  }, 60_000);
  afterAll(() => scene?.clear());

  test.each(SPOKEN)(
    "%s: request sends method, header and body, and prints the answer",
    async (protocol) => {
      const { program, place, words } = scene;
      const { code, stdout, stderr } = await program.run([
        "request",
        "-i",
        place(protocol, "/a%20b?c=d"),
        ...["-X", "PUT", "-H", "X-One: 1", "-d", "hello"],
        ...words(protocol),
      ]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const [head = "", body = ""] = stdout.split("\n\n");
      expect(head.split("\n")[0]).toBe("HTTP/1.1 200 OK");
      expect(head.toLowerCase()).toContain("x-method: put");
      expect(JSON.parse(body)).toMatchObject({ url: "/a%20b?c=d", method: "PUT", body: "hello" });
      expect(JSON.parse(body).headers).toMatchObject({ "x-one": "1", host: "localhost" });
    },
  );

  test.each(SPOKEN)("%s: ping says that the application is well", async (protocol) => {
    const { program, place, words } = scene;
    const all = ["ping", place(protocol), ...words(protocol)];
    const { code, stdout, stderr } = await program.run(all);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answers = { fastcgi: "GET_VALUES_RESULT", scgi: "status 200", ajp: "CPONG" };
    expect(stdout).toContain(`is well: ${answers[protocol]} in `);
  });
});

describe("the verbs of the client", () => {
  let scene: ClientScene;
  beforeAll(async () => {
    scene = await openClientScene(RUNNABLE.at(-1)!);
  }, 60_000);
  afterAll(() => scene?.clear());

  test("a body comes from a file or standard input, and goes into a file", async () => {
    const { program, place, file } = scene;
    const upload = file("upload", Buffer.alloc(300_000, "u"));
    const into = file("answer");
    const place_ = place("fastcgi", "/upload");
    const first = await program.run(["request", place_, "-d", `@${upload}`, "-o", into]);
    expect(first).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(JSON.parse(readFileSync(into, "utf8"))).toMatchObject({
      method: "POST",
      bytes: 300_000,
    });
    const second = await program.run(["request", place_, "-d", "@-"], {
      shell: 'printf typed | "$@"',
    });
    expect(JSON.parse(second.stdout)).toMatchObject({ body: "typed" });
  });

  test("--param sets a CGI variable, and a header of ours can be left out", async () => {
    const { program, place } = scene;
    const words = ["--param", "REMOTE_USER=ada", "-H", "User-Agent:"];
    const { stdout } = await program.run(["request", place("scgi", "/"), ...words]);
    expect(JSON.parse(stdout)).toMatchObject({ user: "ada" });
    expect(JSON.parse(stdout).headers).not.toHaveProperty("user-agent");
  });

  test("--fail turns status 400 and more into exit status 1, without the body", async () => {
    const { program, place } = scene;
    const missing = ["request", place("fastcgi", "/missing")];
    expect(await program.run(missing)).toMatchObject({ code: 0, stderr: "" });
    const failed = await program.run([...missing, "--fail"]);
    expect(failed).toMatchObject({
      code: 1,
      stdout: "",
      stderr: "postern: The answer has status 404.\n",
    });
  });

  test("FastCGI's error text is shown in lines, and cannot move a terminal's cursor", async () => {
    const { program, place } = scene;
    const { code, stderr } = await program.run(["request", place("fastcgi", "/said")]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "stderr: one\nstderr: two\\x1b[2J\n" });
  });

  test("error text is shown where no head follows, and escapes are made harmless", async () => {
    const record = (type: number, content: string): Buffer =>
      Buffer.concat([
        Buffer.from([1, type, 0, 1, 0, content.length, 0, 0]),
        Buffer.from(content, "latin1"),
      ]);
    const peer = await listenScripted(async (wire) => {
      await wire.read(16);
      wire.write(record(7, "no such script\x1b[2J"), record(3, "\0\0\0\x01\0\0\0\0"));
      await wire.readToEnd();
    }, "tcp");
    const { port } = peer.address as { port: number };
    const { code, stderr } = await scene.program.run(["request", `fastcgi://127.0.0.1:${port}/`]);
    await peer.close();
    expect(code).toBe(1);
    expect(stderr).toBe(
      "stderr: no such script\\x1b[2J\npostern: The application ended the request without a response head.\n",
    );
  });

  test("nobody there is exit status 3, too late is 4, and of ping both are 1", async () => {
    const { program, place } = scene;
    const [port] = await freePorts(1);
    const nobody = `scgi://127.0.0.1:${port}/`;
    const refused = await program.run(["request", nobody]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toBe(
      `postern: The application could not be reached. (127.0.0.1 port ${port}) (ECONNREFUSED)\n`,
    );
    expect(await program.run(["ping", nobody])).toMatchObject({ code: 1, stdout: "" });
    const silent = [place("fastcgi", "/silent"), "--timeout", "0.3"];
    const late = await program.run(["request", ...silent]);
    expect(late).toMatchObject({ code: 4, stdout: "" });
    expect(late.stderr).toContain("did not answer in time");
    expect(await program.run(["ping", ...silent])).toMatchObject({ code: 1 });
    const mute = createServer(() => undefined).listen(0, "127.0.0.1");
    await new Promise((done) => mute.once("listening", done));
    const { port: mutePort } = mute.address() as { port: number };
    for (const protocol of SPOKEN) {
      const words = ["ping", "--timeout=0.3", `${protocol}://127.0.0.1:${mutePort}`];
      expect(await program.run(words)).toMatchObject({ code: 1, stdout: "" });
    }
    mute.close();
  });

  test("ping of a path wants a status below 400, and --quiet says nothing where all is well", async () => {
    const { program, place, words } = scene;
    const of = (url: string): string[] => ["ping", "-q", place("ajp", url), ...words("ajp")];
    expect(await program.run(of("/"))).toMatchObject({ code: 0, stdout: "", stderr: "" });
    const missing = await program.run(of("/missing"));
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    expect(missing.stderr).toContain("(status 404 for /missing)");
  });

  test("get-values prints what the application knows, as lines or as JSON", async () => {
    const { program, place } = scene;
    const { code, stdout } = await program.run(["get-values", place("fastcgi")]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^FCGI_MPXS_CONNS=0$/m);
    const json = await program.run(["get-values", place("fastcgi"), "FCGI_MPXS_CONNS", "--json"]);
    expect(JSON.parse(json.stdout)).toEqual({ FCGI_MPXS_CONNS: "0" });
  });

  test("the AJP secret is in no output, right or wrong", async () => {
    const { program, place, words, file } = scene;
    const right = await program.run(["request", "-i", place("ajp", "/"), ...words("ajp")]);
    expect(right.stdout).toContain("HTTP/1.1 200");
    const other = ["--ajp.secret-file", file("other", "another-secret-0123456789")];
    const wrong = await program.run(["request", "-i", place("ajp", "/"), ...other]);
    expect(wrong.stdout).toContain("HTTP/1.1 403");
    const said = [right, wrong].map(({ stdout, stderr }) => stdout + stderr).join("");
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain("another-secret");
  });

  test("a reader that leaves ends it", async () => {
    const { program, place } = scene;
    const { code, stdout, stderr } = await program.run(["request", place("fastcgi", "/")], {
      shell: '"$@" | true',
    });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test.each(SPOKEN)(
    "%s: load counts every answer, and says how fast they came",
    async (protocol) => {
      const { program, place, words } = scene;
      const all = ["load", "-c", "3", "-n", "60", place(protocol, "/"), ...words(protocol)];
      const { code, stdout, stderr } = await program.run([...all, "--json"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const { latencyMs, ...rest } = JSON.parse(stdout);
      expect(rest).toMatchObject({
        answered: 60,
        failed: 0,
        statuses: { 200: 60 },
        connections: 3,
      });
      const { histogram, quantiles, max } = latencyMs;
      expect(histogram.reduce((sum: number, row: { count: number }) => sum + row.count, 0)).toBe(
        60,
      );
      expect(quantiles["0.5"]).toBeLessThanOrEqual(quantiles["0.999"]);
      expect(quantiles["0.999"]).toBeLessThanOrEqual(max);
    },
  );

  test("load prints plain lines where there is no terminal, and is told of failures by its status", async () => {
    const { program, place } = scene;
    const all = ["load", "--fail", "--duration", "0.3", place("fastcgi", "/missing")];
    const { code, stdout, stderr } = await program.run(all);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "" });
    expect(stdout).toMatch(/^status 404: [1-9]\d*$/m);
    expect(stdout).toMatch(/^latency in ms: mean [\d.]+, 50 % /m);
    expect(stdout).toMatch(/^ +[\d.]+ to +[\d.]+ ms {2}#/m);
    expect(stdout).not.toContain("\x1b");
    const [port] = await freePorts(1);
    const nobody = await program.run(["load", `ajp://127.0.0.1:${port}`]);
    expect(nobody).toMatchObject({ code: 3, stdout: "" });
  });

  test("load shows its progress and colours on a terminal, and no colours with NO_COLOR", async () => {
    const { program, place } = scene;
    const shell = `script -qec "$(printf '%s ' "$@")" /dev/null`;
    const all = ["load", "--duration", "0.7", place("fastcgi", "/")];
    const shown = await program.run(all, { shell });
    expect(shown.stdout).toMatch(/\[#+-*\] +\d+ % {2}\d+ requests/);
    expect(shown.stdout).toContain("\x1b[36m#");
    const plain = await program.run(all, { shell, env: { NO_COLOR: "1" } });
    expect(plain.stdout).toMatch(/ms {2}#/);
    expect(plain.stdout).not.toContain("\x1b[36m");
  });

  test("a mistake is one sentence, with exit status 2", async () => {
    const { code, stdout, stderr } = await scene.program.run(["request", "http://127.0.0.1/"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      'postern: The protocol of the address is "http"; it takes fastcgi, scgi or ajp. For HTTP there is curl.\n',
    );
  });

  test("--help of a verb names its options", async () => {
    const { code, stdout } = await scene.program.run(["ping", "--help"]);
    expect(code).toBe(0);
    expect(stdout).toContain("Usage: postern ping ADDRESS");
    expect(stdout).toContain("--timeout SECONDS");
  });
});

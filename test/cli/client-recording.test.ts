/**
 * `postern record` between a client and an application, and `postern replay` of what it wrote, over all three protocols.
 *
 * The bytes of a client stand for those of a web server; the application is served by postern in each configuration.
 */
import { readFileSync, statSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClientConnection } from "../../src/client/client.ts";
import { until } from "../support/front/ports.ts";
import { type ClientScene, openClientScene, RUNNABLE, SECRET, SPOKEN } from "./client-scene.ts";

describe.each(RUNNABLE)("%s", (configuration) => {
  let scene: ClientScene;
  beforeAll(async () => {
    scene = await openClientScene(configuration);
  }, 60_000);
  afterAll(() => scene?.clear());

  test.each(SPOKEN)(
    "%s: what was recorded is sent again, and its statuses are compared",
    async (protocol) => {
      const { program, place, file } = scene;
      const [own, path] = [file(`${protocol}-front.sock`), file(`${protocol}.jsonl`)];
      const recorder = program.start(["record", place(protocol), path, "--listen", own]);
      await until("it records", () => recorder.stderr().includes("Recording what comes to"));
      const secret = protocol === "ajp" ? { secret: SECRET } : {};
      const connection = new ClientConnection({ protocol, address: { socket: own }, ...secret });
      const body = Buffer.alloc(30_000, "b");
      for (const options of [{ url: "/a" }, { url: "/missing" }, { method: "POST", body }]) {
        const response = await connection.request(options);
        await response.buffer();
      }
      // Kept connections end with the recorder, and are recorded all the same.
      recorder.child.kill("SIGTERM");
      const { code, stdout, stderr } = await recorder.ended;
      connection.close();
      expect({ code, said: stdout }).toEqual({
        code: 0,
        said: `${protocol === "scgi" ? 3 : 1} connections in ${path}\n`,
      });
      const lines = readFileSync(path, "utf8").trimEnd().split("\n");
      const statuses = lines.flatMap(
        (line) => (JSON.parse(line) as { statuses: number[] }).statuses,
      );
      expect(statuses).toEqual([200, 404, 200]);
      expect(statSync(path).mode & 0o777).toBe(0o600);

      const again = await program.run(["replay", place(protocol), path]);
      expect(again).toMatchObject({
        code: 0,
        stdout: "3 answers as recorded, 0 differ\n",
        stderr: "",
      });
      const other = file(`${protocol}-other.jsonl`, lines.join("\n").replace("404", "200"));
      const differs = await program.run(["replay", place(protocol), other]);
      expect(differs.code).toBe(1);
      expect(differs.stdout).toMatch(/: was 200, is 404\n2 answers as recorded, 1 differ\n$/);
      for (const said of [stdout, stderr, again.stdout, differs.stdout, differs.stderr]) {
        expect(said).not.toContain(SECRET);
      }
    },
  );

  test("a recording is not written over, and a file that is none is refused", async () => {
    const { program, place, file } = scene;
    const path = file("none.jsonl", "hello\n");
    const words = [place("scgi"), path];
    const written = await program.run(["record", ...words, "--listen", file("front.sock")]);
    expect(written).toMatchObject({ code: 2, stdout: "" });
    expect(written.stderr).toContain("cannot be used (EEXIST); name a file that is not there yet");
    const read = await program.run(["replay", ...words]);
    expect(read).toMatchObject({ code: 2, stdout: "" });
    expect(read.stderr).toContain("Line 1 of");
  });
});

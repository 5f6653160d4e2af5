/**
 * What a client and a front server trust the gateway with, in no place where an operator or a neighbour reads: not in a log,
 * not in the status, not among what `ps` shows, whatever becomes of the request (docs/security.md).
 *
 * Drives the real command with every log on. What formats may name is access-format.test.ts's.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClientProtocol, request } from "../../src/client/client.ts";
import { ask as askStatus, makeProgram, type Program, type Running } from "../cli/program.ts";
import { until } from "../support/behaviour.ts";
import { CONFIGURATIONS } from "../support/engines.ts";

const SECRET = "the-front-servers-word-0123456789";
/** A build and three processes: seconds, on a busy machine many. */
const LONGEST_MS = 120_000;
const TOKEN = "the-clients-token";
const COOKIE = "the-clients-cookie";
const APP = `
module.exports = async (req, res) => {
  if (req.url === "/throw") throw new Error("broken");
  if (req.url === "/slow") await new Promise((done) => setTimeout(done, 120));
  res.setHeader("Set-Cookie", "session=" + req.headers.cookie);
  res.end(JSON.stringify([Object.keys(req.gateway.attributes), Object.values(req.gateway.params)]));
};
`;
/** The plainest and the fastest: logs are written above both. */
const configurations = CONFIGURATIONS.filter(({ create }) => create !== undefined)
  .map(({ name }) => name)
  .filter((_, i, all) => i === 0 || i === all.length - 1);
const PROTOCOLS: readonly ClientProtocol[] = ["fastcgi", "scgi", "ajp"];

describe.each(configurations)("secrets · %s", (configuration) => {
  let program: Program;
  const running: Running[] = [];
  const at = (name: string): string => join(program.folder, name);
  const textOf = (name: string): string =>
    existsSync(at(name)) ? readFileSync(at(name), "utf8") : "";

  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(at("app.cjs"), APP);
    writeFileSync(at("word"), SECRET, { mode: 0o600 });
    for (const protocol of PROTOCOLS) {
      const logs = ["--access-log", `${protocol}.access`, "--slow-log", `${protocol}.slow`];
      const more = ["--access-format", "json", "--timeouts.slow", "50", "--debug"];
      const secret = protocol === "ajp" ? ["--ajp.secret-file", "word"] : [];
      const status = ["--status", `./${protocol}.status`];
      const words = ["app.cjs", "--socket", `${protocol}.s`, "--protocol", protocol];
      const all = [...words, ...logs, ...more, ...secret, ...status];
      running.push(program.start(all, { longestMs: LONGEST_MS }));
    }
    await Promise.all(running.map(({ started }) => started));
  }, LONGEST_MS);
  afterAll(() => program.clear());

  test.each(PROTOCOLS)(
    "Authorization, Cookie and the AJP secret are in no log, no status and no command line · %s",
    async (protocol) => {
      const ask = async (url: string, secret = SECRET, more = {}): Promise<[number, string]> => {
        const headers = { Authorization: `Bearer ${TOKEN}`, Cookie: `id=${COOKIE}` };
        const words = protocol === "ajp" ? { secret } : {};
        const address = { socket: at(`${protocol}.s`) };
        const response = await request({ protocol, address, url, headers, ...words, ...more });
        return [response.status, await response.text()];
      };
      const [status, seen] = await ask("/slow");
      expect(status).toBe(200);
      // The application has what the client sent, and not what the front server did.
      expect(seen).toContain(TOKEN);
      expect(seen).not.toContain(SECRET);
      expect(await ask("/throw")).toEqual([500, "500 Internal Server Error\n"]);
      // By its secret where there is one, elsewhere for a line end in a header.
      const wrong = protocol === "ajp" ? {} : { params: { HTTP_X_BAD: "a\rb" } };
      const [refusal] = await ask("/refused", `${SECRET}-wrong`, wrong);
      expect(refusal).toBe(protocol === "ajp" ? 403 : 400);
      await until(() => textOf(`${protocol}.access`).split("\n").length > 3);
      await until(() => textOf(`${protocol}.slow`).includes("/slow"));

      const { child, stderr } = running[PROTOCOLS.indexOf(protocol)]!;
      const shown = readFileSync(`/proc/${child.pid}/cmdline`, "utf8");
      const logs = readdirSync(program.folder).filter((name) => name.startsWith(`${protocol}.`));
      const written = logs
        .filter((name) => /access|slow/.test(name))
        .map(textOf)
        .join("\n");
      expect(written).toContain("/throw");
      expect(stderr()).toContain("/throw");
      const socketPath = at(`${protocol}.status`);
      const pages = await Promise.all(
        ["/", "/metrics"].map((path) => askStatus({ socketPath, path })),
      );
      for (const text of [written, stderr(), shown, ...pages]) {
        for (const secret of [SECRET, TOKEN, COOKIE]) expect(text).not.toContain(secret);
      }
    },
  );
});

/**
 * Listening sockets that a parent passes on: descriptor 0 as web servers do, others, and systemd's (reliability O-13).
 * The parent here listens, hands its descriptor down and accepts nothing itself.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../support/front/ports.ts";
import { askBy, makeProgram, type Program, type Speech, SPEECHES } from "./program.ts";

const APP = `
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
/** Writes down how busy the loop is, from now on. */
const measure = () => {
  let before = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    appendFileSync(process.env.LOAD, utilization + "\\n");
  }, 200).unref();
};
export default async (req, res) => {
  res.flushHeaders();
  if (req.url === "/load") measure();
  if (req.url === "/slow") await sleep(30000);
  res.end(process.env.NAME ?? "hello");
};
`;

let program: Program;
const holders: Server[] = [];
beforeAll(async () => {
  program = await makeProgram();
  writeFileSync(join(program.folder, "app.mjs"), APP);
});
afterEach(() => {
  for (const holder of holders.splice(0)) holder.close();
});
afterAll(() => program.clear());

/** A listening socket, and how to hand it down. */
interface Held {
  readonly fd: number;
  readonly where: { socketPath: string } | { port: number };
  /** What the start line says of it. */
  readonly text: string;
}

/** What Node keeps to itself, and every parent of ours has to know. */
interface Inner {
  readonly _handle: { readonly fd: number; onconnection: unknown };
}

async function hold(
  where: "tcp" | string,
  host = "127.0.0.1",
  folder = program.folder,
): Promise<Held> {
  const server = createServer();
  holders.push(server);
  const path = join(folder, where);
  await new Promise<void>((done) => {
    if (where === "tcp") server.listen(0, host, done);
    else server.listen(path, done);
  });
  const { fd } = (server as unknown as Inner)._handle;
  const address = server.address();
  if (address === null || typeof address === "string") {
    // Node removes the name under which it was bound when the parent lets go.
    renameSync(path, `${path}-`);
    return { fd, where: { socketPath: `${path}-` }, text: "" };
  }
  return { fd, where: { port: address.port }, text: ` (${host}:${address.port})` };
}

/** The parent lets go, as it would otherwise take connections as well; then the program is asked. */
function answer(protocol: Speech["protocol"], held: Held, path = "/"): Promise<string> {
  for (const holder of holders.splice(0)) holder.close();
  return askBy(protocol, { ...held.where, path });
}

describe("descriptor 0", () => {
  test.each(["ignore", "pipe", "inherit"] as const)("%s is no listening socket", async (stdin) => {
    const { code, stderr } = await program.run(["app.mjs"], { stdio: [stdin, "pipe", "pipe"] });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^postern: No address: descriptor 0 is not a listening socket [^\n]+\n$/,
    );
  });

  test("that is closed is no listening socket", async () => {
    const { code, stderr } = await program.run(["app.mjs"], { shell: 'exec "$@" <&-' });
    expect(code).toBe(2);
    expect(stderr).toContain("postern: No address");
  });

  test("asked for, and no socket, is one sentence", async () => {
    const { code, stderr } = await program.run(["app.mjs", "fd=stdin"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^postern: fd 0 is not a socket [^\n]+; pass a listening socket[^\n]+\n$/,
    );
  });

  test("with AJP on TCP and no secret is refused", async () => {
    const held = await hold("tcp");
    const stdio = [held.fd, "pipe", "pipe"] as const;
    const { code, stderr } = await program.run(["app.mjs", "protocol=ajp"], { stdio: [...stdio] });
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^postern: protocol "ajp" on TCP host "127\.0\.0\.1" needs a secret[^\n]+\n$/,
    );
    const auto = program.start(["app.mjs", "protocol=auto"], { stdio: [...stdio] });
    expect(await auto.started).toMatch(/fastcgi\+scgi\+http on fd 0 .* AJP is left out/);
  });

  test("that other machines reach is refused without permission (X-4)", async () => {
    const held = await hold("tcp", "0.0.0.0");
    const { code, stderr } = await program.run(["app.mjs"], { stdio: [held.fd, "pipe", "pipe"] });
    expect(code).toBe(2);
    expect(stderr).toContain('Host "0.0.0.0" can be reached from other machines');
  });
});

describe("systemd (LISTEN_FDS)", () => {
  test("sockets of another process are left alone (LISTEN_PID)", async () => {
    const held = await hold("sd3.sock");
    const { code, stderr } = await program.run(["app.mjs"], {
      env: { LISTEN_FDS: "1", LISTEN_PID: "1" },
      stdio: ["ignore", "pipe", "pipe", held.fd],
    });
    expect(code).toBe(2);
    expect(stderr).toContain("No address");
  });
});

describe.each(SPEECHES)("$protocol, $configuration", ({ protocol, configuration }) => {
  let program: Program;
  beforeAll(async () => {
    program = await makeProgram(configuration);
    writeFileSync(join(program.folder, "app.mjs"), APP);
  });
  afterAll(() => program.clear());

  describe("descriptor 0", () => {
    test.each(["unix.sock", "tcp"])(
      "is served when it is a listening socket and no address is given (%s)",
      async (where) => {
        const held = await hold(where, "127.0.0.1", program.folder);
        const running = program.start(["app.mjs", "--protocol", protocol], {
          stdio: [held.fd, "pipe", "pipe"],
        });
        expect(await running.started).toContain(`${protocol} on fd 0${held.text}, engine`);
        expect(await answer(protocol, held)).toBe("hello");
      },
    );

    test("is served when asked for as stdin, 0 or by POSTERN_FD (O-13, B-22)", async () => {
      for (const [index, args] of [["--fd", "stdin"], ["fd=0"], []].entries()) {
        const held = await hold(`asked-${index}`, "127.0.0.1", program.folder);
        const running = program.start(["app.mjs", "--protocol", protocol, ...args], {
          stdio: [held.fd, "pipe", "pipe"],
          env: args.length === 0 ? { POSTERN_FD: "stdin" } : {},
        });
        expect(await running.started).toContain(`${protocol} on fd 0,`);
      }
    });

    test("is served beside others that hold it and make it blocking, and left alone after a stop", async () => {
      const held = await hold("shared.sock", "127.0.0.1", program.folder);
      const load = join(program.folder, "load");
      const running = program.start(["app.mjs", "--protocol", protocol], {
        stdio: [held.fd, "pipe", "pipe"],
        env: { LOAD: load },
      });
      await running.started;
      const other = spawn("sleep", ["60"], { stdio: [held.fd, "ignore", "ignore"] });
      expect(await answer(protocol, held, "/load")).toBe("hello");
      const slow = answer(protocol, held, "/slow").catch(() => "cut off");
      await until("it is measured", () => existsSync(load));
      running.child.kill("SIGTERM");
      await until("the stop is said", () => running.stderr().includes("finishing what runs"));
      const waiting = connect((held.where as { socketPath: string }).socketPath);
      waiting.on("error", () => undefined);
      writeFileSync(load, "");
      const loads = (): number[] => readFileSync(load, "utf8").trim().split("\n").map(Number);
      await until("it has been idle for a while", () => loads().length >= 5);
      other.kill();
      waiting.destroy();
      running.child.kill("SIGKILL");
      await slow;
      // The first of them saw the signal.
      expect(Math.min(...loads())).toBeLessThan(0.5);
    });

    test("is drained within 6 s, and repeated SIGTERM does not cut that short (mod_fcgid)", async () => {
      const held = await hold("drain.sock", "127.0.0.1", program.folder);
      const running = program.start(["app.mjs", "--protocol", protocol], {
        stdio: [held.fd, "pipe", "pipe"],
      });
      await running.started;
      const slow = answer(protocol, held, "/slow").catch(() => "cut off");
      await sleep(400);
      const beganMs = performance.now();
      running.child.kill("SIGTERM");
      await sleep(1_500);
      running.child.kill("SIGTERM");
      await sleep(500);
      expect(running.child.exitCode).toBeNull();
      const { code } = await running.ended;
      expect(code).toBe(0);
      expect(performance.now() - beganMs).toBeLessThan(6_500);
      expect(await slow).toBe("cut off");
    });
  });

  describe("other descriptors", () => {
    test("are served by number", async () => {
      const held = await hold("tcp", "127.0.0.1", program.folder);
      const running = program.start(["app.mjs", "--protocol", protocol, "--fd", "3"], {
        stdio: ["ignore", "pipe", "pipe", held.fd],
      });
      expect(await running.started).toContain(`${protocol} on fd 3${held.text},`);
      expect(await answer(protocol, held)).toBe("hello");
    });
  });

  describe("systemd (LISTEN_FDS)", () => {
    /** As systemd does: the process that will be the server carries its own id in LISTEN_PID. */
    const shell = 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"';

    test("its only socket is served when no address is given", async () => {
      const held = await hold("sd.sock", "127.0.0.1", program.folder);
      const running = program.start(["app.mjs", "--protocol", protocol], {
        shell,
        env: { LISTEN_FDS: "1" },
        stdio: ["ignore", "pipe", "pipe", held.fd],
      });
      expect(await running.started).toContain(`${protocol} on fd 3 (systemd), engine`);
      expect(await answer(protocol, held)).toBe("hello");
    });

    test("one of several is served by its name", async () => {
      const [first, second] = [
        await hold("sd1.sock", "127.0.0.1", program.folder),
        await hold("sd2.sock", "127.0.0.1", program.folder),
      ];
      const options = {
        shell,
        env: { LISTEN_FDS: "2", LISTEN_FDNAMES: "status:web", NAME: "web" },
        stdio: ["ignore", "pipe", "pipe", first.fd, second.fd] as ("ignore" | "pipe" | number)[],
      };
      const running = program.start(["app.mjs", `protocol=${protocol}`, "fd=systemd:web"], options);
      expect(await running.started).toContain(`${protocol} on fd 4 (systemd web),`);
      const unnamed = await program.run(["app.mjs"], options);
      expect(unnamed.code).toBe(2);
      expect(unnamed.stderr).toContain('systemd passed 2 sockets ("status", "web"); name one');
      expect(await answer(protocol, second)).toBe("web");
    });
  });
});

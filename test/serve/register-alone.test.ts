/**
 * `postern/register`: what is no gateway beside the program's first server — later servers, other protocols, children,
 * workers, the same application again. Each program in a process of its own.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePorts, until } from "../support/front/ports.ts";
import { answerAt, overHttp, PreloadRoom, saying } from "../support/preloaded.ts";

let room: PreloadRoom;
beforeAll(async () => {
  room = await PreloadRoom.open();
});
afterAll(() => room.clear());

describe("what is left alone", () => {
  test("the program's later servers, and a server of HTTPS", async () => {
    const [port] = await freePorts(1);
    const socket = room.socket();
    const text = `
      import { createServer } from "node:http";
      import { createServer as createSecure } from "node:https";
      const secure = createSecure({}, () => {}).listen(0, "127.0.0.1", () => {
        console.log("secure", typeof secure.address().port);
        createServer((req, res) => res.end("first")).listen(1, () => {
          createServer((req, res) => res.end("second")).listen(${port}, "127.0.0.1", () => console.log("both"));
        });
      });`;
    const child = await room.serve("later.mjs", text, { env: { POSTERN_SOCKET: socket } });
    await saying(child, /^both$/);
    expect(child.lines[0]).toBe("secure number");
    expect(await answerAt("fastcgi", { socket })).toBe("200 first");
    expect(await overHttp(port!)).toBe("200 second");
  });

  test("programs that a gateway starts", async () => {
    const [port] = await freePorts(1);
    const socket = room.socket();
    const text = `
      const { createServer } = require("node:http");
      const { fork } = require("node:child_process");
      if (process.argv[2] === "child") {
        process.on("disconnect", () => process.exit());
        createServer((req, res) => res.end("child")).listen(${port}, "127.0.0.1", () => console.log("child"));
      } else {
        createServer((req, res) => res.end("parent")).listen(1, () => fork(__filename, ["child"]));
      }`;
    const child = await room.serve("forks.cjs", text, { env: { POSTERN_SOCKET: socket } });
    await saying(child, /^child$/);
    expect(await answerAt("fastcgi", { socket })).toBe("200 parent");
    expect(await overHttp(port!)).toBe("200 child");
  });

  test("servers of the program's worker threads", async () => {
    const [port] = await freePorts(1);
    const socket = room.socket();
    const text = `
      const { createServer } = require("node:http");
      const { Worker, isMainThread } = require("node:worker_threads");
      if (isMainThread) {
        createServer((req, res) => res.end("main")).listen(1, () => new Worker(__filename));
      } else {
        createServer((req, res) => res.end("thread")).listen(${port}, "127.0.0.1", () => console.log("thread"));
      }`;
    const child = await room.serve("threads.cjs", text, { env: { POSTERN_SOCKET: socket } });
    await saying(child, /^thread$/);
    expect(await answerAt("fastcgi", { socket })).toBe("200 main");
    expect(await overHttp(port!)).toBe("200 thread");
  });

  test("a program that never listens, without any variable", async () => {
    const child = room.start("quiet.mjs", 'console.log("done");');
    expect(await child.ended).toBe("0");
    expect(child.lines).toEqual(["done"]);
  });
});

test("a second server with the same application is not opened, so that nobody passes the web server by", async () => {
  const [port] = await freePorts(1);
  const socket = room.socket();
  const text = `
    import { createServer } from "node:http";
    const app = (req, res) => res.end("app");
    const first = createServer(app).listen(${port}, "127.0.0.1", () => {
      const second = createServer(app);
      second.listen(${port}, "127.0.0.1", () => {
        console.log("told", second.listening, second.address() === first.address());
      });
    });`;
  const child = await room.serve("same.mjs", text, { env: { POSTERN_SOCKET: socket } });
  expect(await saying(child, /^told/)).toBe("told false true");
  expect(await saying(child, /^postern: /)).toBe(
    "postern: the program listens with the same application again; that address is not opened.",
  );
  expect(await overHttp(port!)).toBe("ECONNREFUSED");
  expect(await answerAt("fastcgi", { socket })).toBe("200 app");
});

describe("workers of node:cluster", () => {
  const text = `
    import cluster from "node:cluster";
    import { createServer } from "node:http";
    if (cluster.isPrimary) {
      for (let index = 0; index < 2; index += 1) cluster.fork();
      cluster.on("exit", (worker, code) => console.log("worker ended", code));
    } else {
      process.on("disconnect", () => process.exit(0));
      createServer((req, res) => res.end("worker")).listen(1);
    }`;

  test("share a port, each as a gateway", async () => {
    const [port] = await freePorts(1);
    const env = { POSTERN_PROTOCOL: "scgi", POSTERN_PORT: String(port) };
    const child = room.start("cluster.mjs", text, { env });
    const started = (): string[] => child.lines.filter((line) => line.startsWith("postern "));
    await until("both workers serve", () => started().length === 2);
    expect(new Set(started().map((line) => /pid (\d+)/.exec(line)![1])).size).toBe(2);
    expect(await answerAt("scgi", { host: "127.0.0.1", port: port! })).toBe("200 worker");
  });

  test("are told that they cannot share a socket file", async () => {
    const child = room.start("cluster-socket.mjs", text, {
      env: { POSTERN_SOCKET: room.socket() },
    });
    await until(
      "both have ended",
      () => child.lines.filter((l) => l === "worker ended 2").length === 2,
    );
    expect(child.lines).toContain(
      "postern: Workers of node:cluster cannot share the socket file of POSTERN_SOCKET; " +
        "set POSTERN_PORT in its place, or start the program without workers.",
    );
  });
});

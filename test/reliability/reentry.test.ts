/**
 * Handlers that end things while rows are still being dispatched (reliability N-3), and what their children inherit (O-12).
 */
import { execFile, execFileSync } from "node:child_process";
import { describe, expect } from "vitest";
import type { NodeHandler } from "../../src/serve/application.ts";
import { until } from "../support/behaviour.ts";
import { type FramedProtocol, transcript } from "../support/transcript.ts";
import { fastcgiRequest, forwardRequest, scgiRequest } from "../support/transcript-frames.ts";

const requestOf: Readonly<Record<FramedProtocol, (uri: string) => Buffer>> = {
  fastcgi: (uri) => fastcgiRequest({ keep: true, params: { REQUEST_URI: uri } }),
  scgi: (uri) => scgiRequest({ params: { REQUEST_URI: uri } }),
  ajp: (uri) => forwardRequest({ uri }),
};
const PROTOCOLS = ["fastcgi", "scgi", "ajp"] as const;

/** What a handler may do in the middle of a read. */
const ACTS: Readonly<Record<string, NodeHandler>> = {
  "destroys its request": (req) => void req.destroy(),
  "destroys its response": (_req, res) => void res.destroy(),
  "destroys its socket": (req) => void req.socket.destroy(),
  "answers and destroys all": (req, res) => {
    res.end("once");
    res.destroy();
    req.destroy();
    req.socket.destroy();
  },
  throws: () => {
    throw new Error("on purpose");
  },
  "throws in a listener of its body": (req) => {
    req
      .on("data", () => undefined)
      .on("end", () => {
        throw new Error("on purpose");
      });
  },
};

describe.each(PROTOCOLS)("over %s, a handler", (protocol) => {
  for (const [what, act] of Object.entries(ACTS)) {
    const isThrown = what.includes("listener");
    transcript(
      `${what} while more is to be read: others are served (N-3)`,
      { protocol, handler: (req, res) => (req.url === "/act" ? act(req, res) : res.end("hi")) },
      async ({ peer, connect }) => {
        // An error of a listener is the process's business: here it is caught, as an application may.
        const thrown: unknown[] = [];
        const before = process.listeners("uncaughtException");
        process.removeAllListeners("uncaughtException");
        process.on("uncaughtException", (error) => thrown.push(error));
        try {
          peer.sends(requestOf[protocol]("/act"), requestOf[protocol]("/next"));
          for (let i = 0; i < 3; i++) {
            const other = await connect();
            other.sends(requestOf[protocol]("/other"));
            expect(await other.answer()).toMatchObject({ status: 200, body: "hi" });
          }
          if (isThrown) await until(() => thrown.length > 0);
          expect(thrown.map(String)).toEqual(isThrown ? ["Error: on purpose"] : []);
        } finally {
          process.removeAllListeners("uncaughtException");
          for (const listener of before) process.on("uncaughtException", listener);
        }
      },
    );
  }

  for (const way of ["closeAllConnections", "close", "shutdown"] as const) {
    let end: () => unknown = () => undefined;
    transcript(
      `calls ${way}() of its server while more is to be read: it ends, and nothing else happens (N-3)`,
      {
        protocol,
        handler: (_req, res) => {
          end();
          res.end("last");
        },
      },
      async ({ peer, server }) => {
        end = () => server[way]();
        peer.sends(requestOf[protocol]("/a"), requestOf[protocol]("/b"));
        await peer.readToEnd();
        server.closeAllConnections();
        await server.shutdown();
        expect(server.listening).toBe(false);
      },
    );
  }
});

/** Descriptors of a child of this process: how many are sockets, and their numbers; `ls` adds the folder that it reads. */
const CHILD = [
  "-c",
  // Through cat, since Node's own pipes are sockets and would be counted.
  '(ls -l /proc/self/fd | grep -c socket; ls /proc/self/fd | tr "\\n" " ") </dev/null 2>/dev/null | cat',
];
/** What a child has before there is a server: what this process itself was given. */
const before = execFileSync("sh", CHILD, { encoding: "utf8" });

for (const transport of ["unix", "tcp"] as const) {
  transcript(
    `a child of the application inherits no descriptor of ours over ${transport} (O-12)`,
    {
      transport,
      handler: (_req, res) => {
        execFile("sh", CHILD, (_error, stdout) => res.end(stdout));
      },
    },
    async ({ peer, connect }) => {
      for (let i = 0; i < 5; i++) await connect();
      peer.sends(fastcgiRequest());
      expect((await peer.answer()).body).toBe(before);
    },
  );
}

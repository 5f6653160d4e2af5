/**
 * A request's socket is a Duplex whose state is made on the first touch: whatever is touched first, it is as if it had
 * always been there. What node's server asks a socket in each request does not make it.
 */
import { EventEmitter, on, once } from "node:events";
import { Server } from "node:http";
import { Duplex, finished, PassThrough, Readable, Writable } from "node:stream";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { ClientSocket } from "../../../src/handler/node/socket.ts";
import { requestOf, StubCarrier, settled } from "./stub-carrier.ts";

const server = new Server();
const owner = {
  queuedBytes: 0,
  uncorking: false,
  uncorked: () => {},
  woken: () => {},
  destroyed: () => {},
};

/** A socket that nobody has touched, without its request. */
const asleep = (): ClientSocket => new ClientSocket(new StubCarrier(), owner, server);
/** The same as Duplex' constructor makes it. */
class Ordinary extends Duplex {
  override _read(): void {}
  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done();
  }
}
const ordinary = (): Duplex =>
  new Ordinary({ allowHalfOpen: true, autoDestroy: false, emitClose: false }).on("error", () => {});

/** Every name that a Duplex has, on its own or by inheritance. */
function namesOf(of: object): (string | symbol)[] {
  const names = new Set<string | symbol>();
  for (let at: object = of; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const name of Reflect.ownKeys(at)) names.add(name);
  }
  return [...names];
}
const shown = (value: unknown): string =>
  typeof value === "function" ? "function" : inspect(value, { depth: 4 });

describe("the first touch of a socket", () => {
  // What only a net.Socket's stand-in answers in its own way, and what says who made it.
  const OWN = new Set<string | symbol>(["constructor", "_read", "_write", "_events", "domain"]);

  test("may be the reading of any property: each has the value of an ordinary Duplex", () => {
    const names = namesOf(ordinary()).filter((name) => !OWN.has(name));
    expect(names.length).toBeGreaterThan(70);
    for (const name of names) {
      const expected = shown(Reflect.get(ordinary(), name));
      expect([name, shown(Reflect.get(asleep(), name))]).toEqual([name, expected]);
    }
  });

  test("may be an assignment, which counts", () => {
    for (const name of ["allowHalfOpen", "_maxListeners"] as const) {
      const socket = asleep() as unknown as Record<string, unknown>;
      socket[name] = 7;
      expect([socket[name], (socket as unknown as ClientSocket).awake]).toEqual([7, true]);
    }
  });

  test("leaves the own properties of an ordinary Duplex, in its order", () => {
    const socket = asleep();
    const before = Reflect.ownKeys(socket);
    socket.on("data", () => {});
    const made = Reflect.ownKeys(socket).filter((name) => !before.includes(name));
    expect(made).toEqual(Reflect.ownKeys(ordinary().on("data", () => {})));
  });

  test("gives no state to a prototype", () => {
    asleep().on("close", () => {});
    expect(Object.hasOwn(ClientSocket.prototype, "_events")).toBe(false);
    expect(asleep().awake).toBe(false);
    expect(asleep().listenerCount("close")).toBe(0);
  });

  type Touch = (socket: Duplex) => unknown;
  const TOUCHES: Readonly<Record<string, Touch>> = {
    "on()": (socket) => socket.on("x", () => {}).listenerCount("x"),
    "once() and emit()": async (socket) => {
      const told = once(socket, "x");
      socket.emit("x", 1);
      return [await told, socket.listenerCount("x")];
    },
    "emit() without a listener": (socket) => socket.emit("x"),
    "emit('error')": (socket) => socket.emit("error", new Error("heard")),
    "prependListener()": (socket) => socket.prependListener("error", () => {}).eventNames(),
    "off()": (socket) => socket.off("x", () => {}).eventNames(),
    "eventNames()": (socket) => socket.eventNames(),
    "removeAllListeners()": (socket) => socket.removeAllListeners().eventNames(),
    "rawListeners()": (socket) => socket.rawListeners("error").length,
    "getMaxListeners()": (socket) => socket.setMaxListeners(3).getMaxListeners(),
    "events.on()": (socket) => typeof on(socket, "x").next,
    "write() with a callback": (socket) =>
      new Promise((resolve) => {
        socket.write("text", (error) => resolve([error, socket.writableLength]));
      }),
    "end()": async (socket) => {
      await new Promise<void>((resolve) => {
        socket.end("text", () => resolve());
      });
      return [socket.writableEnded, socket.writableFinished, socket.destroyed];
    },
    "destroy()": async (socket) => {
      socket.destroy();
      await settled();
      return [socket.destroyed, socket.closed, socket.writable, socket.readable, socket.errored];
    },
    "destroy(error)": async (socket) => {
      socket.destroy(new Error("on purpose"));
      await settled();
      return [socket.destroyed, socket.errored?.message];
    },
    "assigning to destroyed": (socket) => {
      socket.destroyed = true;
      return [socket.destroyed, socket.writable];
    },
    "cork() and uncork()": (socket) => {
      socket.cork();
      socket.cork();
      const corked = socket.writableCorked;
      socket.uncork();
      return [corked, socket.writableCorked, socket.listenerCount("x"), socket.writableCorked];
    },
    "push() and read()": (socket) => [socket.push("text"), String(socket.read()), socket.read()],
    "unshift()": (socket) => {
      socket.unshift(Buffer.from("text"));
      return socket.readableLength;
    },
    "setEncoding()": (socket) => socket.setEncoding("utf8").readableEncoding,
    "setDefaultEncoding()": (socket) => socket.setDefaultEncoding("latin1") === socket,
    "pipe() into it": async (socket) => {
      Readable.from(["a", "b"]).pipe(socket);
      await once(socket, "finish");
      return socket.writableFinished;
    },
    "pipe() out of it": (socket) => {
      const to = socket.pipe(new PassThrough());
      socket.unpipe(to);
      return socket.listenerCount("data");
    },
    "async iteration": async (socket) => {
      const chunks = socket[Symbol.asyncIterator]();
      socket.push("text");
      const { value } = await chunks.next();
      await chunks.return?.();
      return [String(value), socket.destroyed];
    },
    "stream.finished()": (socket) =>
      new Promise((resolve) => {
        finished(socket, { readable: false }, (error) => resolve(error));
        socket.end();
      }),
    "isPaused()": (socket) => socket.isPaused(),
    instanceof: (socket) =>
      [Duplex, Readable, Writable, EventEmitter].map((one) => socket instanceof one),
  };
  for (const [title, touch] of Object.entries(TOUCHES)) {
    test(`may be ${title}: it does what it does to an ordinary Duplex`, async () => {
      const [ours, expected] = [await touch(asleep()), await touch(ordinary())];
      expect(ours).toEqual(expected);
    });
  }

  test("may be util.inspect or JSON.stringify", () => {
    expect(inspect(asleep())).toContain("ClientSocket");
    expect(
      JSON.parse(JSON.stringify(asleep(), (key, value) => (key === "server" ? 0 : value))),
    ).toEqual(expect.objectContaining({ _httpMessage: null, server: 0 }));
  });

  test("may come while it is corked: the count stays", () => {
    const socket = asleep();
    socket.cork();
    socket.cork();
    socket.on("x", () => {});
    expect([socket.awake, socket.writableCorked]).toEqual([true, 2]);
  });
});

describe("a socket stays without state", () => {
  test("while it is asked what node's server and frameworks ask in every request", async () => {
    const { side, req, res } = requestOf();
    const { socket } = req;
    const asked = [socket.readable, socket.writable, socket.destroyed, socket.errored];
    expect(asked).toEqual([true, true, false, null]);
    expect([socket.remoteAddress, socket.remotePort, socket.remoteFamily]).toEqual([
      "192.0.2.1",
      50_000,
      "IPv4",
    ]);
    expect([socket.localAddress, socket.localPort, socket.localFamily]).toEqual([
      "2001:db8::1",
      443,
      "IPv6",
    ]);
    expect([socket.writableLength, socket.writableHighWaterMark]).toEqual([
      0,
      ordinary().writableHighWaterMark,
    ]);
    res.setHeader("x", "y");
    res.write("a");
    res.end("b");
    side.bodyEnd();
    await settled();
    expect([res.closed, req.closed, (socket as unknown as ClientSocket).awake]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("and shows the listeners of node's server once somebody looks", () => {
    const { req } = requestOf();
    const { socket } = req;
    expect(["error", "close", "timeout"].map((name) => socket.listenerCount(name))).toEqual([
      1, 1, 1,
    ]);
    expect(socket.eventNames()).toEqual(expect.arrayContaining(["error", "close", "timeout"]));
  });

  test("but hears of its idle time, where the server has one", async () => {
    const impatient = new Server();
    impatient.timeout = 5;
    const { req } = requestOf(impatient);
    const [told] = await once(impatient, "timeout");
    expect(told === req.socket).toBe(true);
  });
});

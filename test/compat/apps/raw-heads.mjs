/**
 * Handlers on node's own `req` and `res`, about response heads: forms of headers, refusals, statuses, patched methods.
 * Every framework that lets one at those objects mounts them under /raw; what has to come of them, node:http says.
 */
import onHeaders from "on-headers";

/** Answers with a value as JSON. */
export function json(res, value, status = 200) {
  const body = JSON.stringify(value);
  res.statusCode = status;
  res.setHeader("Content-Type", "application/json");
  res.end(body);
}

/** An object with its keys in order, since fields may come in another one. */
export function sorted(object) {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Calls back once the client has read the first bytes of the body: what follows is no accident of buffers. */
export function afterRead(req, callback) {
  req.socket.server.once("read", callback);
}

const codeOf = (attempt) => {
  try {
    attempt();
    return "none";
  } catch (error) {
    return error.code ?? error.name;
  }
};

function forms(req, res) {
  const form = new URL(req.url, "http://a").searchParams.get("form");
  res.setHeader("X-Set", "0");
  res.setHeader("Set-Cookie", ["a=1", "b=2; Path=/"]);
  const heads = {
    object: () => res.writeHead(201, "Made", { "x-set": "1", "X-More": ["2", "3"], "X-Number": 4 }),
    flat: () => res.writeHead(201, ["X-More", "2", "X-More", "3"]),
    bare: () => res.writeHead(299),
    reason: () => res.writeHead(200, "Caf\xe9 open"),
    cookie: () => res.writeHead(200, { Cookie: ["a=1", "b=2"], "Set-Cookie": ["c=3"] }),
    length: () => res.writeHead(200, { "Content-Length": 4 }),
  };
  heads[form]();
  res.end("body");
}

function names(_req, res) {
  res.setHeader("X-One", "1");
  res.appendHeader("X-Many", "1");
  res.appendHeader("X-Many", ["2", "3"]);
  res.setHeaders(new Map([["X-Map", "m"]]));
  res.setHeader("X-Gone", "1");
  res.removeHeader("x-gone");
  const said = {
    names: res.getHeaderNames(),
    raw: res.getRawHeaderNames(),
    all: res.getHeaders(),
    one: res.getHeader("x-one"),
    has: [res.hasHeader("X-MANY"), res.hasHeader("x-gone")],
  };
  json(res, said);
}

function refusals(_req, res) {
  const codes = [
    codeOf(() => res.setHeader("X-A", "a\r\nb")),
    codeOf(() => res.setHeader("X A", "1")),
    codeOf(() => res.setHeader("", "1")),
    codeOf(() => res.setHeader("X-A", undefined)),
    codeOf(() => res.appendHeader("X-A", "a\0")),
    codeOf(() => res.setHeader("X-A", "\u0100")),
    codeOf(() => res.writeHead(200, { "X-A": "a\nb" })),
    codeOf(() => res.writeHead(200, { "X A": "1" })),
    codeOf(() => res.writeHead(200, ["X-A"])),
    codeOf(() => res.writeHead(200, "O\nK")),
    codeOf(() => res.writeHead(99)),
    codeOf(() => res.writeHead(1000)),
    codeOf(() => res.write(null)),
    codeOf(() => res.write(5)),
    codeOf(() => res.addTrailers({ "X A": "1" })),
  ];
  res.statusMessage = "OK";
  json(res, codes);
}

function late(_req, res) {
  res.write("[");
  const codes = [
    codeOf(() => res.setHeader("X-A", "1")),
    codeOf(() => res.appendHeader("X-A", "1")),
    codeOf(() => res.removeHeader("X-A")),
    codeOf(() => res.writeHead(200)),
    codeOf(() => res.flushHeaders()),
    codeOf(() => res._implicitHeader()),
  ];
  res.end(`${codes}]`);
}

function status(req, res) {
  const [, code, body] = /status\/(\d+)(\/body)?/.exec(req.url);
  res.statusCode = Number(code);
  res.setHeader("X-Kept", "1");
  if (body) res.setHeader("Content-Type", "text/plain");
  res.end(body ? "a body that may not be there" : undefined);
}

/** As compression, express-session and others do: methods of the instance replaced, the old ones called. */
function patched(_req, res) {
  const { write, end, writeHead } = res;
  res.writeHead = function (...parameters) {
    this.setHeader("X-Patched", "head");
    return writeHead.apply(this, parameters);
  };
  res.write = function (chunk, ...rest) {
    return write.call(this, String(chunk).toUpperCase(), ...rest);
  };
  res.end = function (chunk, ...rest) {
    return end.call(this, chunk && `<${chunk}>`, ...rest);
  };
  onHeaders(res, function () {
    this.setHeader("X-Late", String(this.statusCode));
    this.removeHeader("X-Early");
  });
  res.setHeader("X-Early", "1");
  res.write("one ");
  res.end("two");
}

/** As express-session does when it saves: the head first, all but the last byte, and the rest later. */
function held(_req, res) {
  res.setHeader("Content-Length", 5);
  if (!res._header) res._implicitHeader();
  res.write("hell");
  setTimeout(() => res.end("o"), 10);
}

/** As Express does with every request: another prototype under a living object. */
function swapped(req, res) {
  class Mine {}
  const response = Object.create(Object.getPrototypeOf(res), {
    send: {
      value(text) {
        this.setHeader("X-Swapped", String(this.req === req));
        this.end(text);
      },
    },
    constructor: { value: Mine },
  });
  Object.setPrototypeOf(res, response);
  Object.setPrototypeOf(req, Object.create(Object.getPrototypeOf(req), { mine: { value: "yes" } }));
  res.send(`${req.mine} ${req.url} ${req.get === undefined} ${req.headers.host !== undefined}`);
}

function connection(_req, res) {
  res.setHeader("Connection", "close");
  res.setHeader("Keep-Alive", "timeout=9");
  res.setHeader("Date", "Tue, 03 Jan 2023 00:00:00 GMT");
  res.setHeader("X-Latin1", "caf\xe9");
  res.end("ok");
}

function bare(_req, res) {
  res.removeHeader("Content-Length");
  res.sendDate = false;
  res.end("no length");
}

function informational(_req, res) {
  res.writeContinue();
  res.writeProcessing();
  res.writeEarlyHints({ link: "</style.css>; rel=preload; as=style" }, () => res.end("final"));
}

function trailers(_req, res) {
  res.writeHead(200, { Trailer: "X-Sum", "Content-Type": "text/plain" });
  res.write("summed");
  res.addTrailers({ "X-Sum": "6" });
  res.end();
}

/** Handlers by path. */
export const HEADS = {
  forms,
  names,
  refusals,
  late,
  status,
  patched,
  held,
  swapped,
  connection,
  bare,
  informational,
  trailers,
};

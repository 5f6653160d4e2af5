/**
 * A plan → one connection to a server: writes what the plan says, reads what comes, and holds both against the invariants
 * of reliability §3.1 (I-1 to I-5, I-7, I-8). Answers are taken apart here anew, so that encoders are not their own judge.
 */
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { type Ledger, urlOf } from "./conversation-handler.ts";
import { type ConversationPlan, isFlawless, type RequestPlan } from "./conversation-plan.ts";
import {
  begin,
  bodyPacket,
  forwardRequest,
  netstring,
  params,
  record,
  stdin,
  Type,
  USUAL,
} from "./transcript-frames.ts";

const GARBAGE = Buffer.from("\x07garbage that no protocol begins with");
/** Longest wait for an answer or an end. */
const PATIENCE_MS = 10_000;

/** An answer as far as it came. */
interface Reply {
  id: number;
  text: string;
  isEnded: boolean;
}

/** One connection while it is played. */
class Line {
  readonly socket: Socket;
  readonly replies: Reply[] = [];
  isOver = false;
  /** As the last END_RESPONSE said (AJP). */
  isReusable = true;
  /** Requests that were begun. */
  sent = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: (() => void) | undefined;
  readonly #plan: ConversationPlan;
  #writes = 0;

  constructor(socket: Socket, plan: ConversationPlan) {
    this.socket = socket;
    this.#plan = plan;
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#read();
      this.#wake?.();
    });
    socket.on("error", () => undefined);
    socket.on("close", () => this.#end()).on("end", () => this.#end());
  }

  #end(): void {
    this.isOver = true;
    this.#wake?.();
  }

  /** Waits until something holds, or the connection is over. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while (!holds() && !this.isOver) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
      await new Promise<void>((done) => {
        const timer = setTimeout(done, 100);
        this.#wake = () => {
          clearTimeout(timer);
          done();
        };
      });
    }
  }

  /** Writes bytes as the plan cuts them, a turn between two pieces. */
  async write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      const size = this.#plan.cuts[this.#writes++ % this.#plan.cuts.length]!;
      this.socket.write(bytes.subarray(at, at + size));
      at += size;
      if (at < bytes.length) await new Promise((done) => setImmediate(done));
    }
  }

  #open(id: number): Reply {
    let reply = this.replies.find((one) => one.id === id && !one.isEnded);
    if (reply === undefined) {
      reply = { id, text: "", isEnded: false };
      this.replies.push(reply);
    }
    return reply;
  }

  /** Frames that are whole. */
  #read(): void {
    const { protocol } = this.#plan;
    if (protocol === "scgi") {
      this.#open(1).text += this.#bytes.toString("latin1");
      this.#bytes = Buffer.alloc(0);
      return;
    }
    const headerBytes = protocol === "fastcgi" ? 8 : 4;
    while (this.#bytes.length >= headerBytes) {
      const rest = protocol === "fastcgi" ? this.#bytes[6]! : 0;
      const length = this.#bytes.readUInt16BE(protocol === "fastcgi" ? 4 : 2);
      if (this.#bytes.length < headerBytes + length + rest) return;
      const content = this.#bytes.subarray(headerBytes, headerBytes + length);
      if (protocol === "fastcgi") this.#takeRecord(this.#bytes, content);
      else this.#takePacket(content);
      this.#bytes = this.#bytes.subarray(headerBytes + length + rest);
    }
  }

  #takeRecord(header: Buffer, content: Buffer): void {
    // The visible failure of a unix socket: a record that is none.
    if (header[0] !== 1) return;
    const reply = this.#open(header.readUInt16BE(2));
    if (header[1] === Type.STDOUT) reply.text += content.toString("latin1");
    else if (header[1] === Type.END) reply.isEnded = true;
    else if (header[1] !== Type.STDERR) throw new Error(`a record of type ${header[1]}`);
  }

  #takePacket(payload: Buffer): void {
    const reply = this.#open(1);
    const kind = payload[0];
    if (kind === 3) reply.text += payload.toString("latin1", 3, 3 + payload.readUInt16BE(1));
    else if (kind === 4) reply.text += `Status: ${payload.readUInt16BE(1)} AJP\r\n\r\n`;
    else if (kind === 5) {
      reply.isEnded = true;
      this.isReusable = payload[1] === 1;
    } else if (kind !== 6) throw new Error(`a packet of type ${kind}`);
  }
}

/** Head and body of one request as two pieces. */
function encode(
  plan: ConversationPlan,
  one: RequestPlan,
  id: number,
  name: string,
): [Buffer, Buffer] {
  const body = Buffer.alloc(one.bodyBytes, name);
  const url = urlOf(name, one.handler);
  const length = String(one.declared);
  if (plan.protocol === "ajp") {
    const headers = { Host: "h", "Content-Length": length, "X-Last": name };
    const pieces = one.bodyBytes === 0 ? [] : [bodyPacket(body)];
    return [forwardRequest({ method: 4, uri: url, headers }), Buffer.concat(pieces)];
  }
  const fields = { ...USUAL, REQUEST_METHOD: "POST", REQUEST_URI: url };
  const all = { CONTENT_LENGTH: length, SCGI: "1", ...fields, HTTP_X_LAST: name };
  if (plan.protocol === "scgi") return [netstring(all), body];
  return [Buffer.concat([begin(id, { keep: true }), params(id, all)]), stdin(id, body)];
}

async function request(
  line: Line,
  plan: ConversationPlan,
  index: number,
  name: string,
): Promise<void> {
  const one = plan.requests[index]!;
  const id = index + 1;
  const [head, body] = encode(plan, one, id, name);
  const giveUp = (): Promise<void> | undefined => {
    if (plan.protocol === "fastcgi") return line.write(record({ type: Type.ABORT, id }));
    line.socket.destroy();
    return undefined;
  };
  await line.write(head);
  if (one.abort === "head") return giveUp();
  await line.write(body);
  if (one.abort === "body") return giveUp();
  if (!plan.patient || plan.protocol === "scgi") return;
  const answers = (): number => line.replies.filter(({ isEnded }) => isEnded).length;
  // A body that is too short is waited for; its peer goes on to the end.
  if (one.declared > one.bodyBytes) return;
  await line.until(() => answers() > index, `the answer to ${name}`);
}

/** Plays a plan. Throws an Error that names the invariant that did not hold. */
export async function converse(
  address: { readonly path: string },
  plan: ConversationPlan,
  ledger: Ledger,
  prefix: string,
): Promise<void> {
  const socket = connect({ ...address, allowHalfOpen: true });
  await once(socket, "connect");
  const line = new Line(socket, plan);
  const names = plan.requests.map((_, i) => `${prefix}x${i}`);
  for (const [i, name] of names.entries()) {
    if (line.isOver || !line.isReusable) break;
    line.sent++;
    if (plan.garbageAt === i) await line.write(GARBAGE);
    await request(line, plan, i, name);
  }
  if (plan.ending === "destroy") socket.destroy();
  else if (!socket.destroyed) socket.end();
  await line.until(() => false, "the end of the connection");
  socket.destroy();
  judge(plan, line, ledger, names);
}

function hold(kept: boolean, rule: string, plan: ConversationPlan): void {
  if (!kept) throw new Error(`${rule}: ${JSON.stringify(plan)}`);
}

function judge(plan: ConversationPlan, line: Line, ledger: Ledger, names: readonly string[]): void {
  const isBroken = plan.garbageAt !== undefined;
  for (const [i, name] of names.entries()) {
    const heard = ledger.get(name);
    const one = plan.requests[i]!;
    if (heard !== undefined) {
      hold(heard.calls === 1, "I-3: called more than once", plan);
      hold(heard.last === name, "I-3: called before the head was complete", plan);
      const body = Buffer.concat(heard.chunks);
      hold(body.length <= one.declared, "I-4: more body than CONTENT_LENGTH", plan);
      const own = Buffer.alloc(one.bodyBytes, name).subarray(0, body.length);
      hold(body.equals(own), "I-2: bytes of somebody else's body", plan);
      const isWhole = !heard.isWhole || body.length === one.declared;
      hold(isWhole, "a body that ended well before CONTENT_LENGTH", plan);
      hold(!isBroken || i < plan.garbageAt!, "I-5: a request behind broken bytes", plan);
    }
    const replies = line.replies.filter(
      ({ id }) => id === (plan.protocol === "fastcgi" ? i + 1 : id),
    );
    if (plan.protocol === "fastcgi") hold(replies.length <= 1, "I-1, I-8: answered twice", plan);
    const own = plan.protocol === "ajp" ? line.replies[i] : replies[0];
    if (own !== undefined) judgeReply(own, name, names, plan);
    if (isFlawless(plan) && i < line.sent) {
      hold(
        own !== undefined && /^(Location|Status): /m.test(own.text),
        `no answer to ${name}`,
        plan,
      );
      hold(/Status: 200/.test(own!.text), `not 200 but ${own!.text.slice(0, 60)}`, plan);
      hold(own!.isEnded || plan.protocol === "scgi", "I-1: no end", plan);
    }
  }
  hold(line.replies.length <= names.length, "I-8: more answers than requests", plan);
}

/** One head, and nobody else's bytes behind it. */
function judgeReply(
  reply: Reply,
  name: string,
  names: readonly string[],
  plan: ConversationPlan,
): void {
  hold((reply.text.match(/^Status: /gm) ?? []).length <= 1, "I-8: two response heads", plan);
  const body = reply.text.slice(reply.text.indexOf("\r\n\r\n") + 4);
  const others = names.filter((one) => one !== name && body.includes(`${one};`));
  hold(others.length === 0, "I-2: bytes of another answer", plan);
}

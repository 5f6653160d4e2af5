/**
 * Records, packets and bytes of a gateway → answers: status, headers, body, and how they ended.
 * It is strict where the protocols are: streams end before END_REQUEST, nothing follows the end of a request.
 */
import type { FramedProtocol } from "./transcript.ts";
import type { Wire } from "./scripted-peer.ts";
import { Type } from "./transcript-frames.ts";

/** One whole answer. */
export interface Answer {
  readonly id: number;
  /** 0 where the request ended without a response head. */
  readonly status: number;
  readonly reason: string;
  /** Names in lower case and values, in order. */
  readonly headers: readonly (readonly [string, string])[];
  /** latin1. */
  readonly body: string;
  /** FastCGI: error text, and what END_REQUEST says. */
  readonly stderr: string;
  readonly appStatus: number | undefined;
  readonly protocolStatus: number | undefined;
  /** AJP: the reuse flag, how often a body packet was asked for, chunks of no bytes. */
  readonly reuse: boolean | undefined;
  readonly asked: number;
  readonly flushes: number;
}

/** Value of an answer's header, or undefined. */
export function headerOf(answer: Answer, name: string): string | undefined {
  return answer.headers.find(([one]) => one === name)?.[1];
}

interface Draft {
  stdout: Buffer[];
  stderr: Buffer[];
  stdoutEnded: boolean;
  asked: number;
  flushes: number;
}

function parseCgi(bytes: Buffer): Pick<Answer, "status" | "reason" | "headers" | "body"> {
  const text = bytes.toString("latin1");
  if (text === "") return { status: 0, reason: "", headers: [], body: "" };
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) throw new Error(`no end of the response head: ${text.slice(0, 100)}`);
  const lines = text
    .slice(0, end)
    .split("\r\n")
    .map((line): [string, string] => {
      const colon = line.indexOf(": ");
      if (colon < 1) throw new Error(`no header line: ${line}`);
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
    });
  const status = lines.filter(([name]) => name === "status");
  if (status.length !== 1) throw new Error(`${status.length} Status lines`);
  const [code = "", ...reason] = status[0]![1].split(" ");
  const headers = lines.filter(([name]) => name !== "status");
  return { status: Number(code), reason: reason.join(" "), headers, body: text.slice(end + 4) };
}

const RESPONSE_HEADERS =
  " content-type content-language content-length date last-modified location set-cookie set-cookie2 servlet-engine status www-authenticate".split(
    " ",
  );

/** Strings of a packet, one after the other. */
class PacketReader {
  #at = 1;
  readonly #payload: Buffer;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  u16(): number {
    this.#at += 2;
    return this.#payload.readUInt16BE(this.#at - 2);
  }

  string(length: number = this.u16()): string {
    const text = this.#payload.toString("latin1", this.#at, this.#at + length);
    this.#at += length;
    if (this.#payload[this.#at++] !== 0) throw new Error("a string without its NUL");
    return text;
  }

  name(): string {
    const first = this.u16();
    if (first >> 8 !== 0xa0) return this.string(first).toLowerCase();
    return RESPONSE_HEADERS[first & 255] ?? "";
  }

  /** Everything must be used up. */
  end(): void {
    if (this.#at !== this.#payload.length) throw new Error("bytes after the end of a packet");
  }
}

/** Puts answers together. */
export class AnswerReader {
  readonly #wire: Wire;
  readonly #protocol: FramedProtocol;
  readonly #drafts = new Map<number, Draft>();

  constructor(wire: Wire, protocol: FramedProtocol) {
    this.#wire = wire;
    this.#protocol = protocol;
  }

  next(): Promise<Answer> {
    if (this.#protocol === "fastcgi") return this.#fastcgi();
    return this.#protocol === "ajp" ? this.#ajp() : this.#scgi();
  }

  #draft(id: number): Draft {
    let draft = this.#drafts.get(id);
    if (draft === undefined) {
      draft = { stdout: [], stderr: [], stdoutEnded: false, asked: 0, flushes: 0 };
      this.#drafts.set(id, draft);
    }
    return draft;
  }

  async #fastcgi(): Promise<Answer> {
    for (;;) {
      const { type, id, content } = await this.#wire.readRecord();
      const draft = this.#draft(id);
      if (type === Type.STDOUT) {
        if (draft.stdoutEnded) throw new Error("STDOUT after its end");
        if (content.length === 0) draft.stdoutEnded = true;
        else draft.stdout.push(content);
      } else if (type === Type.STDERR) draft.stderr.push(content);
      else if (type === Type.END) {
        if (draft.stdout.length > 0 && !draft.stdoutEnded) throw new Error("STDOUT without end");
        this.#drafts.delete(id);
        return {
          ...parseCgi(Buffer.concat(draft.stdout)),
          id,
          stderr: Buffer.concat(draft.stderr).toString("latin1"),
          appStatus: content.readUInt32BE(0),
          protocolStatus: content[4],
          reuse: undefined,
          asked: 0,
          flushes: 0,
        };
      } else throw new Error(`record of type ${type}`);
    }
  }

  async #scgi(): Promise<Answer> {
    const bytes = await this.#wire.readToEnd();
    return {
      ...parseCgi(bytes),
      id: 1,
      stderr: "",
      appStatus: undefined,
      protocolStatus: undefined,
      reuse: undefined,
      asked: 0,
      flushes: 0,
    };
  }

  async #ajp(): Promise<Answer> {
    const draft = this.#draft(1);
    let [status, reason]: [number, string] = [0, ""];
    const headers: [string, string][] = [];
    for (;;) {
      const payload = await this.#wire.readPacket();
      const reader = new PacketReader(payload);
      switch (payload[0]) {
        case 3: {
          const chunk = reader.string();
          reader.end();
          if (chunk === "") draft.flushes++;
          draft.stdout.push(Buffer.from(chunk, "latin1"));
          break;
        }
        case 4: {
          if (status !== 0) throw new Error("a second response head");
          status = reader.u16();
          reason = reader.string();
          for (let left = reader.u16(); left > 0; left--) {
            headers.push([reader.name(), reader.string()]);
          }
          reader.end();
          break;
        }
        case 5:
          this.#drafts.delete(1);
          return {
            id: 1,
            status,
            reason,
            headers,
            body: Buffer.concat(draft.stdout).toString("latin1"),
            stderr: "",
            appStatus: undefined,
            protocolStatus: undefined,
            reuse: payload[1] === 1,
            asked: draft.asked,
            flushes: draft.flushes,
          };
        case 6:
          draft.asked++;
          break;
        default:
          throw new Error(`packet of type ${payload[0]}`);
      }
    }
  }
}

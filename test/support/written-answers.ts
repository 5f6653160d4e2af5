/**
 * Bytes that a writer made → what a front server would understand by them, exchange by exchange (reliability Z5).
 * Strict: a byte that the protocols do not ask for is an error. Written from the specifications alone, so that encoders of
 * src/ are not their own judge. FastCGI specification §3.3 and §5, RFC 3875 §6, ajpv13a "Response packet structure".
 */
import { Type } from "./transcript-frames.ts";

/** One exchange as it was understood. */
export interface WrittenAnswer {
  status: number;
  reason: string;
  /** Names in lower case and values, in their order on the wire. */
  fields: (readonly [string, string])[];
  /** latin1. */
  body: string;
  errors: string;
  asked: number;
  flushes: number;
  /** FastCGI: `appStatus protocolStatus`; AJP: `reuse` or `close`; "" where the connection's end is the end. */
  end: string;
}

const RESPONSE_HEADERS =
  " content-type content-language content-length date last-modified location set-cookie set-cookie2 servlet-engine status www-authenticate".split(
    " ",
  );

/** A response header's code in AJP, or 0. */
export const codeOfHeader = (name: string): number =>
  Math.max(0, RESPONSE_HEADERS.indexOf(name.toLowerCase()));

const nothing = (): WrittenAnswer => ({
  status: 0,
  reason: "",
  fields: [],
  body: "",
  errors: "",
  asked: 0,
  flushes: 0,
  end: "",
});

function must(kept: boolean, rule: string): void {
  if (!kept) throw new Error(`a writer broke a rule: ${rule}`);
}

/** Head and body out of a CGI response. */
function readCgi(answer: WrittenAnswer, text: string): void {
  if (text === "") return;
  const end = text.indexOf("\r\n\r\n");
  must(end > 0, "a head ends");
  let count = 0;
  for (const line of text.slice(0, end).split("\r\n")) {
    const colon = line.indexOf(": ");
    must(colon > 0 && !/[\r\n\0]/.test(line), "a head line is a name and a value");
    const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 2)];
    if (name !== "status") {
      answer.fields.push([name, value]);
      continue;
    }
    count++;
    answer.status = Number(value.slice(0, 3));
    answer.reason = value.slice(4);
  }
  must(count === 1, "one Status line");
  answer.body = text.slice(end + 4);
}

/** Records of one connection → answers by request id. */
export function readFastcgi(bytes: Buffer): Map<number, WrittenAnswer> {
  const answers = new Map<number, WrittenAnswer>();
  const streams = new Map<number, { stdout: string; ended: Set<number> }>();
  let at = 0;
  while (at < bytes.length) {
    must(bytes.length - at >= 8, "a whole header");
    const [version, type] = [bytes[at]!, bytes[at + 1]!];
    const id = bytes.readUInt16BE(at + 2);
    const length = bytes.readUInt16BE(at + 4);
    must(version === 1 && bytes[at + 6] === 0 && bytes[at + 7] === 0, "version 1, no padding");
    const content = bytes.subarray(at + 8, at + 8 + length);
    must(content.length === length, "a whole record");
    at += 8 + length;
    const answer = answers.get(id) ?? nothing();
    answers.set(id, answer);
    const own = streams.get(id) ?? { stdout: "", ended: new Set() };
    streams.set(id, own);
    must(answer.end === "" && !own.ended.has(type), "nothing behind an end");
    if (type === Type.STDOUT) own.stdout += content.toString("latin1");
    else if (type === Type.STDERR) answer.errors += content.toString("latin1");
    else must(type === Type.END && length === 8, "STDOUT, STDERR or END_REQUEST");
    if (length === 0) own.ended.add(type);
    if (type !== Type.END) continue;
    must(own.stdout === "" || own.ended.has(Type.STDOUT), "STDOUT ends before the request");
    must(answer.errors === "" || own.ended.has(Type.STDERR), "STDERR ends before the request");
    must(content.readUIntBE(5, 3) === 0, "reserved bytes are 0");
    answer.end = `${content.readUInt32BE(0)} ${content[4]}`;
    readCgi(answer, own.stdout);
  }
  return answers;
}

/** All of a connection → its answer. */
export function readScgi(bytes: Buffer): WrittenAnswer {
  const answer = nothing();
  readCgi(answer, bytes.toString("latin1"));
  return answer;
}

/** Packets of at most so many bytes → the answer. */
export function readAjp(bytes: Buffer, packetBytes: number): WrittenAnswer {
  const answer = nothing();
  let at = 0;
  const u16 = (): number => {
    at += 2;
    return bytes.readUInt16BE(at - 2);
  };
  const string = (length: number): string => {
    const text = bytes.toString("latin1", at, at + length);
    must(bytes[at + length] === 0, "a string ends with NUL");
    at += length + 1;
    return text;
  };
  while (at < bytes.length) {
    must(answer.end === "" && u16() === 0x4142, "a packet, and none behind the end");
    const length = u16();
    const end = at + length;
    must(length + 4 <= packetBytes && end <= bytes.length, "a packet of the agreed size");
    const type = bytes[at++];
    if (type === 3) {
      const chunk = string(u16());
      if (chunk === "") answer.flushes++;
      answer.body += chunk;
    } else if (type === 4) {
      must(answer.status === 0 && answer.body === "", "one head, in front");
      answer.status = u16();
      answer.reason = string(u16());
      for (let left = u16(); left > 0; left--) {
        const first = u16();
        const name = first >> 8 === 0xa0 ? RESPONSE_HEADERS[first & 255]! : string(first);
        answer.fields.push([name.toLowerCase(), string(u16())]);
      }
    } else if (type === 5) answer.end = bytes[at++] === 1 ? "reuse" : "close";
    else if (type === 6) {
      must(u16() === packetBytes - 6, "as many bytes are asked for as fit");
      answer.asked++;
    } else must(false, `no packet of type ${type}`);
    must(at === end, "nothing behind what a packet says");
  }
  return answer;
}

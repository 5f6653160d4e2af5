/**
 * One request → the id by which logs and front server name it: the front server's `X-Request-Id`, or one of our own.
 * It is made when it is asked for, and stays the same then. Nothing else is read of a trace.
 */
import { randomBytes } from "node:crypto";

/** What may be an id: it goes into logs and headers. Longer or other ones are a client's play. */
const SOUND = /^[\w.:+/=@-]{1,128}$/;

/** Whoever keeps the id of its request: a map of objects would cost half a microsecond a request. */
export interface Identified {
  /** "" until somebody asks; a number is one of our own that nobody has seen as text yet. */
  givenId?: string | number;
}

const given = new WeakMap<object, string>();
/** Of this process; made when it is needed, since that loads node:crypto. */
let prefix = "";
let count = 0;

/** What ids of our own begin with; their number follows. */
export function ownIdPrefix(): string {
  prefix ||= `${randomBytes(6).toString("hex")}-`;
  return prefix;
}

function newId(sent: string): string {
  if (sent !== "" && SOUND.test(sent)) return sent;
  return `${ownIdPrefix()}${++count}`;
}

/** Has another object stand for a request that has an id: the one that errors are shown with. */
export function shareRequestId(shown: object, id: string): void {
  given.set(shown, id);
}

/** The id that a request has by now; undefined where nobody has asked for it yet. */
export function knownRequestId(request: object): string | undefined {
  return given.get(request);
}

/**
 * The id of a request.
 *
 * @param request anything that stands for it, always the same
 * @param sent    `X-Request-Id`, or ""
 */
export function requestIdOf(request: object, sent: string): string {
  let id = given.get(request);
  if (id === undefined) {
    id = newId(sent);
    given.set(request, id);
  }
  return id;
}

/** As {@link requestIdOf}, of a head that keeps it. */
export function headIdOf(head: Identified, sent: string): string {
  const { givenId } = head;
  if (typeof givenId === "string" && givenId !== "") return givenId;
  const id = givenId ? `${ownIdPrefix()}${givenId}` : newId(sent);
  head.givenId = id;
  return id;
}

/**
 * The number of a head's id behind {@link ownIdPrefix}, for whoever writes digits and needs no text.
 *
 * @param sent as {@link headIdOf} takes it
 * @returns 0 where its id is none of our own, or a text already
 */
export function headIdNumber(head: Identified, sent: string): number {
  const { givenId } = head;
  if (typeof givenId === "number") return givenId;
  if (givenId !== "" || (sent !== "" && SOUND.test(sent))) return 0;
  head.givenId = ++count;
  return count;
}

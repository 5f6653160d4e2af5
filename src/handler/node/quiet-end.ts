/**
 * The end of a request's stream that nobody looks at: the state it leaves behind, without the events and ticks.
 * A request that has no listener, whose body nobody reads and whose socket nobody has touched, ends by itself once its
 * response is written; node goes through resume, read, end, destroy and close for that, four ticks in which nothing can
 * be seen. What a stream's state looks like before and after is read off a request that has gone the whole way.
 */
import { EventEmitter } from "node:events";
import { IncomingMessage } from "node:http";

/** Node's private members of a request that matter here. */
interface PrivateRequest {
  _readableState: Record<symbol, number> & { length: number; resumeScheduled: boolean };
  _eventsCount: number;
  _consuming: boolean;
  _dumped: boolean;
  _dump(): void;
  _destroy: unknown;
}

const { emit } = EventEmitter.prototype;
const { _destroy: destroyOwn } = IncomingMessage.prototype;

/** Node keeps what a stream has gone through in the bits of one number. */
const kState = Object.getOwnPropertySymbols(
  (new IncomingMessage(undefined as never) as unknown as PrivateRequest)._readableState,
).find((symbol) => symbol.description === "kState") as symbol;

const UNKNOWN = -1;
/** Nobody has read, paused or listened; nothing has come. */
let fresh = UNKNOWN;
/** The same, and there is nothing to come. */
let ended = UNKNOWN;
/** It has been dumped and is closed. */
let closed = UNKNOWN;
let isLearning = false;

/** Sends a request of its own the whole way. Until that is there, all go it. */
function learn(): void {
  isLearning = true;
  const socket = {
    readableHighWaterMark: 65_536,
    readable: true,
    resume(): void {},
    pause(): void {},
  };
  const sample = new IncomingMessage(socket as never);
  const { _readableState: state } = sample as unknown as PrivateRequest;
  const before = state[kState];
  sample.complete = true;
  sample.push(null);
  setImmediate(() => {
    const between = state[kState];
    (sample as unknown as PrivateRequest)._dump();
    setImmediate(() => {
      const numbers = [before, between, state[kState]];
      if (!sample.closed || numbers.some((number) => typeof number !== "number")) return;
      [fresh, ended, closed] = numbers as [number, number, number];
    });
  });
}

/** Would nobody hear of its end? */
function isUnheard(req: PrivateRequest & IncomingMessage): boolean {
  return (
    req._eventsCount === 0 &&
    !req._consuming &&
    !req._dumped &&
    req.emit === emit &&
    req._destroy === destroyOwn &&
    req._readableState.length === 0
  );
}

/**
 * Ends the stream of a request without a body, where its response is already made: as `push(null)` does within a tick.
 *
 * @returns false where somebody could hear of it: then nothing is changed
 */
export function endUnheard(given: IncomingMessage): boolean {
  const req = given as IncomingMessage & PrivateRequest;
  if (!isLearning) learn();
  if (!isUnheard(req) || req._readableState[kState] !== fresh) return false;
  req._readableState[kState] = ended;
  return true;
}

/** May the end of this request wait for a tick, to be unheard then? */
export function mayEndUnheard(given: IncomingMessage): boolean {
  const req = given as IncomingMessage & PrivateRequest;
  const state = req._readableState[kState];
  return (state === fresh || state === ended) && isUnheard(req);
}

/** Drops what nobody reads of a request, as node does once the response is written. */
export function dump(given: IncomingMessage): void {
  const req = given as IncomingMessage & PrivateRequest;
  if (!req._consuming && !req._readableState.resumeScheduled) req._dump();
}

/** The same, a tick later, of a request that {@link mayEndUnheard}: leaves it closed where nobody hears. */
export function dumpUnheard(given: IncomingMessage): void {
  const req = given as IncomingMessage & PrivateRequest;
  if (req.complete && req._readableState[kState] === ended && isUnheard(req)) {
    req._dumped = true;
    req._readableState[kState] = closed;
  } else dump(req);
}

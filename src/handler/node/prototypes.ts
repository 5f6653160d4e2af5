/**
 * Prototypes that a framework wants → req and res that are born with them, so that its swap changes nothing.
 * Express sets the prototypes of both on every request; up to Node 22 that makes each later write to them slow. A
 * wrong guess costs time and nothing else: then the swap really happens. It knows frameworks by their shape only.
 */
import { IncomingMessage, type Server, ServerResponse } from "node:http";

/** What a request and a response inherit from. */
interface Pair {
  readonly request: object;
  readonly response: object;
}

type Birth<T> = new (first: unknown, second?: unknown) => T;
type Octal = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
type Slots = Record<`p${Octal}${Octal}`, number>;

const BASE: Pair = { request: IncomingMessage.prototype, response: ServerResponse.prototype };

/** Requests in a row whose prototypes must have been swapped alike before anything is concluded from it. */
const SIGHTINGS = 100;

/** Node's constructors are functions, which can be called on an object made elsewhere; classes cannot. */
const isCallable = [IncomingMessage, ServerResponse].every(
  (base) => Object.getOwnPropertyDescriptor(base, "prototype")?.writable === true,
);

/**
 * A constructor that does what `base` does, on objects with another prototype.
 *
 * Written out and not generated, for `--disallow-code-generation-from-strings`. The assignments never run: V8 counts
 * them and makes objects with room for as many properties; without that, making and filling both takes four to six
 * times as long (Node 20 to 26). `class extends` cannot have a prototype of others, and `Reflect.construct` is slow
 * on Node 20.
 */
function bornWith<T>(base: unknown, prototype: object): Birth<T> {
  const call = base as (this: unknown, first: unknown, second: unknown) => void;
  function Born(this: Slots, first: unknown, second: unknown): void {
    if (new.target === undefined) {
      this.p00 = 0;
      this.p01 = 0;
      this.p02 = 0;
      this.p03 = 0;
      this.p04 = 0;
      this.p05 = 0;
      this.p06 = 0;
      this.p07 = 0;
      this.p10 = 0;
      this.p11 = 0;
      this.p12 = 0;
      this.p13 = 0;
      this.p14 = 0;
      this.p15 = 0;
      this.p16 = 0;
      this.p17 = 0;
      this.p20 = 0;
      this.p21 = 0;
      this.p22 = 0;
      this.p23 = 0;
      this.p24 = 0;
      this.p25 = 0;
      this.p26 = 0;
      this.p27 = 0;
      this.p30 = 0;
      this.p31 = 0;
      this.p32 = 0;
      this.p33 = 0;
      this.p34 = 0;
      this.p35 = 0;
      this.p36 = 0;
      this.p37 = 0;
      this.p40 = 0;
      this.p41 = 0;
      this.p42 = 0;
      this.p43 = 0;
      this.p44 = 0;
      this.p45 = 0;
      this.p46 = 0;
      this.p47 = 0;
      this.p50 = 0;
      this.p51 = 0;
      this.p52 = 0;
      this.p53 = 0;
      this.p54 = 0;
      this.p55 = 0;
      this.p56 = 0;
      this.p57 = 0;
    }
    call.call(this, first, second);
  }
  Born.prototype = prototype;
  return Born as unknown as Birth<T>;
}

/** The prototypes that an application says it will set, as an Express app does; undefined for other values. */
function declaredBy(application: unknown): Pair | undefined {
  if (typeof application !== "function") return undefined;
  if (!Object.hasOwn(application, "request") || !Object.hasOwn(application, "response"))
    return undefined;
  const { request, response } = application as unknown as Pair;
  const isPair = request instanceof IncomingMessage && response instanceof ServerResponse;
  return isPair ? { request, response } : undefined;
}

/** Is there a property in the chain, before node's own, to which nothing can be assigned? */
function refusesWrites(prototype: object, base: object): boolean {
  for (let at: object | null = prototype; at !== null && at !== base; ) {
    for (const one of Object.values(Object.getOwnPropertyDescriptors(at))) {
      if ("value" in one ? one.writable === false : one.set === undefined) return true;
    }
    at = Object.getPrototypeOf(at);
  }
  return false;
}

/** What one server's requests and responses are born with. */
export class Prototypes {
  /** Requests that had, after their handler returned, the prototypes they were born with. */
  hits = 0;
  /** Those that did not. */
  misses = 0;
  #pair: Pair = BASE;
  #request: Birth<IncomingMessage> = IncomingMessage as unknown as Birth<IncomingMessage>;
  #response: Birth<ServerResponse> = ServerResponse as unknown as Birth<ServerResponse>;
  /** Is there nothing left to learn? */
  #settled = !isCallable;
  #sighted: Pair = BASE;
  #sightings = 0;

  /** Makes a request. */
  request(socket: IncomingMessage["socket"]): IncomingMessage {
    return new this.#request(socket);
  }

  /** Makes the response to it. */
  response(req: IncomingMessage, options: object | undefined): ServerResponse {
    return new this.#response(req, options);
  }

  /**
   * Takes the prototypes of an application that shows them: a function with `request` and `response` of its own, as
   * an Express app is. The first one counts; other values change nothing.
   */
  declare(application: unknown): void {
    const pair = this.#settled ? undefined : declaredBy(application);
    if (pair !== undefined) this.#adopt(pair, true);
  }

  /**
   * Looks at a request whose handler has returned.
   *
   * @param server asked once for its listeners, where a swap is seen that nobody has declared
   */
  observe(req: IncomingMessage, res: ServerResponse, server: Server): void {
    const request: object = Object.getPrototypeOf(req);
    const response: object = Object.getPrototypeOf(res);
    if (request === this.#pair.request && response === this.#pair.response) {
      this.hits++;
      this.#sightings = 0;
      return;
    }
    // A mounted Express app swaps again, to prototypes that inherit from those of the app above it.
    if (this.#pair !== BASE && Object.prototype.isPrototypeOf.call(this.#pair.request, request)) {
      this.hits++;
      return;
    }
    this.misses++;
    if (!this.#settled) this.#sight(request, response, server);
  }

  #sight(request: object, response: object, server: Server): void {
    // Learned, and wrong: never again.
    if (this.#pair !== BASE) return this.#adopt(BASE, true);
    const { request: seenRequest, response: seenResponse } = this.#sighted;
    if (request !== seenRequest || response !== seenResponse) {
      this.#sighted = { request, response };
      this.#sightings = 0;
    }
    this.#sightings++;
    if (this.#sightings === 1) {
      for (const listener of server.listeners("request")) this.declare(listener);
    }
    if (this.#settled || this.#sightings < SIGHTINGS) return;
    // Code that runs before the swap, or without it, may set what it likes: Express' `req.query` cannot be set.
    const refuses = refusesWrites(request, BASE.request) || refusesWrites(response, BASE.response);
    if (refuses) this.#settled = true;
    else this.#adopt({ request, response }, false);
  }

  #adopt(pair: Pair, settled: boolean): void {
    this.#pair = pair;
    this.#settled = settled;
    this.#request = bornWith<IncomingMessage>(IncomingMessage, pair.request);
    this.#response = bornWith<ServerResponse>(ServerResponse, pair.response);
  }
}

const known = new WeakMap<Server, Prototypes>();

/** The prototypes of a server. */
export function prototypesOf(server: Server): Prototypes {
  let prototypes = known.get(server);
  if (prototypes === undefined) {
    prototypes = new Prototypes();
    known.set(server, prototypes);
  }
  return prototypes;
}

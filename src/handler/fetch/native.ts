/**
 * Makes lazily made Requests, Responses and Headers pass for native ones: joins their prototype chains, and lets native
 * code that is given one reach the native one behind it. Native code looks into private members, so there are two ways:
 * own symbols (Node 20 and 22), and `Request` and `fetch` of globalThis, which hand on the native Request (all).
 * `Response` of globalThis makes lazy ones.
 */
import { inspect } from "node:util";
import type { GatewayRequest } from "../node/request.ts";
import { LazyHeaders } from "./headers.ts";
import { LazyResponse } from "./lazy-response.ts";
import { LazyRequest } from "./request.ts";
import { NodeSource } from "./source.ts";

/** What stands in globalThis, so that it is not wrapped twice. */
const ours = new WeakSet<object>();
let joined = false;

/** The native Request behind a lazy one; anything else as it is. */
function nativeOf<T>(value: T): T | Request {
  return value instanceof LazyRequest ? value.native() : value;
}

/** Members of native instances that native code reads by symbol. */
function joinSymbols(own: { native(): object }, sample: object): void {
  for (const symbol of Object.getOwnPropertySymbols(sample)) {
    Object.defineProperty(own, symbol, {
      get(this: typeof own): unknown {
        return Reflect.get(this.native(), symbol);
      },
    });
  }
}

/** Members of newer natives that are unknown here: the native one behind answers. */
function joinRest(own: object, native: object, behind: (lazy: object) => object): void {
  for (const [name, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(native))) {
    if (Object.hasOwn(own, name)) continue;
    const member =
      typeof value === "function"
        ? {
            value(this: object, ...rest: unknown[]): unknown {
              return Reflect.apply(value, behind(this), rest);
            },
          }
        : {
            get(this: object): unknown {
              return get === undefined ? value : Reflect.apply(get, behind(this), []);
            },
          };
    Object.defineProperty(own, name, { ...member, configurable: true });
  }
}

/** For console.log: native code would look into private members here too. */
function joinInspection(): void {
  Object.defineProperty(LazyRequest.prototype, inspect.custom, {
    value(this: LazyRequest, _depth: number, options: object): string {
      const { method, url, headers } = this;
      return `Request ${inspect({ method, url, headers }, options)}`;
    },
  });
  Object.defineProperty(LazyHeaders.prototype, inspect.custom, {
    value(this: LazyHeaders, _depth: number, options: object): string {
      return inspect(new Headers(this as unknown as Headers), options);
    },
  });
  Object.defineProperty(LazyResponse.prototype, inspect.custom, {
    value(this: LazyResponse, _depth: number, options: object): string {
      return inspect(this.native(), options);
    },
  });
}

function wrapRequest(native: typeof Request): typeof Request {
  const wrapped: typeof Request = new Proxy(native, {
    construct(target, [input, ...rest], newTarget) {
      const made = newTarget === wrapped ? target : newTarget;
      return Reflect.construct(target, [nativeOf(input), ...rest], made);
    },
    // Who asks what an instance is gets the answer of the class that makes them.
    get(target, key, receiver) {
      if (key !== Symbol.hasInstance || receiver !== wrapped)
        return Reflect.get(target, key, receiver);
      return (value: unknown): boolean => value instanceof target;
    },
  });
  return wrapped;
}

/** Data as text; undefined for what has no JSON, of which native code shall say why. */
function jsonOf(data: unknown): string | undefined {
  try {
    return JSON.stringify(data) as string | undefined;
  } catch {
    return undefined;
  }
}

/** A function, whose construction costs less than a proxy's. */
function wrapResponse(native: typeof Response): typeof Response {
  const json = (data: unknown, init?: ResponseInit): Response => {
    const text = jsonOf(data);
    const lazy = text === undefined ? undefined : LazyResponse.make(text, init, "application/json");
    return (lazy as Response | undefined) ?? native.json(data, init);
  };
  function wrapped(...given: ConstructorParameters<typeof Response>): unknown {
    // Called like a function: native code has the words for it.
    if (new.target === undefined) return Reflect.apply(native as never, undefined, given);
    if (new.target !== wrapped) return Reflect.construct(native, given, new.target);
    return (
      LazyResponse.make(given[0], given[1], "text/plain;charset=UTF-8") ?? new native(...given)
    );
  }
  const { writable: _, ...prototype } = Object.getOwnPropertyDescriptor(native, "prototype")!;
  Object.defineProperty(wrapped, "prototype", { ...prototype, writable: false });
  Object.defineProperty(wrapped, "name", { value: native.name, configurable: true });
  Object.defineProperty(wrapped, "length", { value: native.length, configurable: true });
  Object.defineProperty(wrapped, "json", { value: json, writable: true, configurable: true });
  Object.setPrototypeOf(wrapped, native);
  return wrapped as unknown as typeof Response;
}

function wrapFetch(native: typeof fetch): typeof fetch {
  return new Proxy(native, {
    apply: (target, self, [input, ...rest]) =>
      Reflect.apply(target, self, [nativeOf(input), ...rest]),
  });
}

function install<Name extends "Request" | "Response" | "fetch">(
  name: Name,
  wrap: (native: (typeof globalThis)[Name]) => (typeof globalThis)[Name],
): void {
  const native = globalThis[name];
  if (ours.has(native)) return;
  const wrapped = wrap(native);
  ours.add(wrapped);
  Object.defineProperty(globalThis, name, {
    value: wrapped,
    writable: true,
    enumerable: name === "fetch",
    configurable: true,
  });
}

/**
 * Prepares this process for lazy Requests and Responses. To be called before the first is made, and again by every later caller:
 * another adapter may have put a class of its own into globalThis meanwhile, which then is wrapped as well.
 */
export function joinNative(): void {
  if (!joined) {
    joined = true;
    joinSymbols(LazyRequest.prototype, new Request("http://localhost/"));
    joinSymbols(LazyResponse.prototype, new Response());
    joinInspection();
    joinRest(LazyRequest.prototype, Request.prototype, (lazy) => (lazy as LazyRequest).native());
    joinRest(LazyHeaders.prototype, Headers.prototype, (lazy) => (lazy as LazyHeaders).native());
    joinRest(LazyResponse.prototype, Response.prototype, (lazy) => (lazy as LazyResponse).native());
    Object.setPrototypeOf(LazyRequest.prototype, Request.prototype);
    Object.setPrototypeOf(LazyResponse.prototype, Response.prototype);
    Object.setPrototypeOf(LazyHeaders.prototype, Headers.prototype);
  }
  install("Request", wrapRequest);
  install("Response", wrapResponse);
  install("fetch", wrapFetch);
}

/** Makes the Request of a node request. {@link joinNative} comes first. */
export function createFetchRequest(req: GatewayRequest): Request {
  return new LazyRequest(new NodeSource(req)) as unknown as Request;
}

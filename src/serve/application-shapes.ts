/**
 * What the applications of the frameworks look like, as far as serving them needs it: shapes, and how each is told.
 *
 * They are shapes and no imports, so that postern needs no framework and any version of one that looks like this will
 * do. Serves nothing: application.ts does.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** A handler as frameworks have it; postern's own requests are IncomingMessages. */
export type HttpHandler = (req: IncomingMessage, res: ServerResponse) => unknown;

/** A Koa application, or what else makes its handler by `callback()`. */
export interface KoaApplication {
  callback(): HttpHandler;
}

/** A Fastify application: made ready before anything is bound, and closed after the server. */
export interface FastifyApplication {
  ready(): PromiseLike<unknown>;
  routing(req: IncomingMessage, res: ServerResponse): unknown;
  close(): PromiseLike<unknown>;
}

/** A NestJS application on its Express or its Fastify adapter: initialized before anything is bound, closed after. */
export interface NestApplication {
  init(): PromiseLike<unknown>;
  getHttpAdapter(): { getInstance(): unknown };
  close(): PromiseLike<unknown>;
}

/** Has a value, which is no function, these methods? */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
}

/** Is it Koa's? */
export function isKoa(value: unknown): value is KoaApplication {
  return hasMethods(value, "callback");
}

/** Is it Fastify's? */
export function isFastify(value: unknown): value is FastifyApplication {
  return hasMethods(value, "ready", "routing", "close");
}

/** Is it NestJS's? */
export function isNest(value: unknown): value is NestApplication {
  return hasMethods(value, "init", "getHttpAdapter", "close");
}

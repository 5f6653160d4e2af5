/**
 * Scenarios on Nest's controllers, the same for both of its adapters: apps/nest.mjs.
 */
import type { Scenario } from "../grid.ts";
import { get, one, send, several } from "./one.ts";

/** The list. */
export const NEST: readonly Scenario[] = [
  one("a controller", 200, get("/hello")),
  one("parameters and a query", 200, get("/users/42?x=1&y=%C3%A9")),
  one("a body and a parameter", 200, send("PUT", "/items/1", "application/json", '{"a":1}')),
  one(
    "what the framework knows of the client",
    200,
    get("/seen?a", { "x-forwarded-for": "1.2.3.4" }),
  ),
  one("a redirect", 307, get("/redirect")),
  one("a status and a header by decorators", 201, { method: "POST", url: "/made" }),
  one("204 by a decorator", 204, { method: "DELETE", url: "/items/1" }),
  one("an exception of Nest", 403, get("/throw")),
  one("a rejected promise", 500, get("/reject")),
  one("server-sent events of an Observable", 200, get("/sse")),
  one("a StreamableFile", 200, get("/streamed")),
  several("a guard", [403, 200], get("/private"), get("/private", { "x-key": "secret" })),
  one("an unknown path", 404, get("/nowhere")),
];

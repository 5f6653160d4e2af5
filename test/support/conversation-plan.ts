/**
 * What a peer and the handlers behind it do on one connection, made by fast-check: requests, their flaws, how the handler
 * answers, how bytes are cut, how it ends (reliability Z7, P-8). It is a plan; conversation.ts plays it.
 */
import fc from "fast-check";
import type { FramedProtocol } from "./transcript.ts";

/**
 * What a handler does, letter by letter: `r` reads the body, `h` sends the head, `w` writes, `n` waits a turn, `d` waits for
 * the drain of a write, `e` ends, `t` throws, `j` rejects, `x` destroys its response. Then it ends, unless it has.
 */
export type HandlerPlan = string;

/** One request. */
export interface RequestPlan {
  readonly handler: HandlerPlan;
  readonly bodyBytes: number;
  /** CONTENT_LENGTH beside the bytes that really come. */
  readonly declared: number;
  /** The peer gives up (FastCGI ABORT_REQUEST, else the connection ends) after the head, or after the body. */
  readonly abort: "" | "head" | "body";
}

/** One connection. */
export interface ConversationPlan {
  readonly protocol: FramedProtocol;
  readonly requests: readonly RequestPlan[];
  /** Is every answer waited for before the next request? */
  readonly patient: boolean;
  /** Bytes that belong to no protocol, before the request of this number. */
  readonly garbageAt: number | undefined;
  readonly ending: "end" | "destroy";
  /** Sizes of the writes, in turn. */
  readonly cuts: readonly number[];
}

const handler: fc.Arbitrary<HandlerPlan> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("", "r", "re", "rwwe", "wne", "hnwe", "rnnw", "nwdwe") },
  { weight: 2, arbitrary: fc.string({ unit: fc.constantFrom(..."rhwnde"), maxLength: 7 }) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(..."rhwndetjx"), maxLength: 7 }) },
);

const request: fc.Arbitrary<RequestPlan> = fc
  .record({
    handler,
    bodyBytes: fc.oneof(fc.constant(0), fc.nat(40), fc.constant(3_000)),
    off: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(-2, 1, 5)),
    abort: fc.oneof(
      { weight: 8, arbitrary: fc.constant("" as const) },
      fc.constantFrom("head" as const, "body" as const),
    ),
  })
  .map(({ off, ...rest }) => ({ ...rest, declared: Math.max(0, rest.bodyBytes + off) }));

/** Any plan for a protocol. */
export function conversationPlan(protocol: FramedProtocol): fc.Arbitrary<ConversationPlan> {
  return fc.record({
    protocol: fc.constant(protocol),
    requests: fc.array(request, { minLength: 1, maxLength: protocol === "scgi" ? 1 : 4 }),
    patient: fc.boolean(),
    garbageAt: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.nat(3) },
    ),
    ending: fc.oneof(
      { weight: 6, arbitrary: fc.constant("end" as const) },
      fc.constant("destroy" as const),
    ),
    cuts: fc.array(fc.constantFrom(1, 7, 8, 9, 40, 70_000), { minLength: 1, maxLength: 4 }),
  });
}

/** Does every request of this plan have to be answered 200? */
export function isFlawless(plan: ConversationPlan): boolean {
  const flawless = plan.requests.every(
    (one) => one.declared === one.bodyBytes && one.abort === "" && !/[tjx]/.test(one.handler),
  );
  return flawless && plan.garbageAt === undefined && plan.patient && plan.ending === "end";
}

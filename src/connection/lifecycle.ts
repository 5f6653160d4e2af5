/**
 * What a request and a response may do next: two tables and one lookup.
 * Pure data; the exchange acts on what the tables say. Every cell is filled, and the test walks all of them.
 */

/** States of the request half. */
export const RequestState = { OPEN: 0, BODY: 1, DONE: 2, LOST: 3 } as const;
/** What happens to the request half. */
export const RequestEvent = {
  HEAD: 0,
  BODY: 1,
  BODY_END: 2,
  ABORT: 3,
  CLOSE: 4,
  /** 101 has left: bytes come again, until the peer ends them. */
  UPGRADE: 5,
} as const;
/** States of the response half. */
export const ResponseState = { IDLE: 0, HEAD: 1, DONE: 2, FAILED: 3 } as const;
/** What happens to the response half. */
export const ResponseEvent = { HEAD: 0, BODY: 1, END: 2, FAIL: 3 } as const;

/** Nothing changes and nothing is done: the event comes too late to matter. */
export const IGNORE = -1;
/** Cannot happen while decoder and handler keep their promises. */
export const WRONG = -2;

const { BODY, DONE, LOST } = RequestState;

/** Request half: state → event → next state. */
export const REQUEST_TABLE: readonly (readonly number[])[] = [
  //            HEAD    BODY    BODY_END ABORT  CLOSE UPGRADE
  /* OPEN */ [BODY, WRONG, WRONG, LOST, LOST, WRONG],
  /* BODY */ [WRONG, BODY, DONE, LOST, LOST, WRONG],
  /* DONE */ [WRONG, WRONG, IGNORE, LOST, LOST, BODY],
  /* LOST */ [IGNORE, IGNORE, IGNORE, IGNORE, IGNORE, IGNORE],
];

const { HEAD, DONE: ENDED, FAILED } = ResponseState;

/** Response half: state → event → next state. */
export const RESPONSE_TABLE: readonly (readonly number[])[] = [
  //            HEAD    BODY    END     FAIL
  /* IDLE */ [HEAD, WRONG, ENDED, FAILED],
  /* HEAD */ [WRONG, HEAD, ENDED, FAILED],
  /* ENDED */ [IGNORE, IGNORE, IGNORE, IGNORE],
  /* FAILED */ [IGNORE, IGNORE, IGNORE, IGNORE],
];

/** The next state, or {@link IGNORE} or {@link WRONG}. */
export function nextState(
  table: readonly (readonly number[])[],
  state: number,
  event: number,
): number {
  return table[state]?.[event] ?? WRONG;
}

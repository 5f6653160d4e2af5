/**
 * Every vector with bytes for us, played against serve(): what is answered, and whether the connection lives on.
 * The rows of the vectors are the engines' business (test/engine); here is what a peer gets to see.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { ServeOptions } from "../../../src/serve/options.ts";
import type { Configuration } from "../../support/engines.ts";
import { echo } from "../../support/behaviour.ts";
import { eachEngine, type FramedProtocol, type Peer, play } from "../../support/transcript.ts";
import type { Answer } from "../../support/transcript-answers.ts";
import { bytesOf } from "../../support/vectors.ts";

/** What has to come of a vector. */
interface Outcome {
  /** Statuses of the answers in order, 0 for an end without a head; or more of each. */
  readonly answers: readonly (number | Partial<Answer>)[];
  /** FIN, a connection that stays, or (the peer ends it) nothing at all. */
  readonly after: "closes" | "stays" | "peer ends";
  readonly options?: Omit<ServeOptions, "protocol" | "transport">;
}

interface JsonVector {
  readonly id: string;
  readonly title: string;
  readonly steps: readonly {
    readonly dir: ">" | "<";
    readonly hex: string;
    readonly notes?: readonly { readonly event: string }[];
  }[];
}

const closes = (...answers: Outcome["answers"]): Outcome => ({ answers, after: "closes" });
const stays = (...answers: Outcome["answers"]): Outcome => ({ answers, after: "stays" });
const has = (text: string): Partial<Answer> => ({
  status: 200,
  body: expect.stringContaining(text),
});

const FASTCGI: Readonly<Record<string, Outcome>> = {
  F01: closes(has('"url":"/a?x=1"')),
  F02: stays(has('"body":"hello"')),
  // Four vectors of the wire have no REQUEST_METHOD: a whole 400, never a bare end.
  F03: closes(400),
  F04: closes(400),
  F05: closes(400),
  F06: closes(400),
  F07: stays(),
  F08: stays(),
  F10: closes({ status: 0, protocolStatus: 0, appStatus: 0 }, has('"url":"/a?x=1"')),
  F11: {
    answers: [
      { status: 0, protocolStatus: 3, id: 1 },
      { status: 0, protocolStatus: 1, id: 2 },
    ],
    after: "stays",
  },
  F12: closes(400),
  F13: {
    answers: [
      { id: 1, status: 400 },
      { id: 3, ...has('"body":"hello"') },
      { id: 5, ...has('"body":"any"') },
    ],
    after: "stays",
    options: { multiplex: true },
  },
  F14: closes(has('"data":"file"')),
  F15: stays(has('"role":"authorizer"'), has('"role":"authorizer"')),
  F17a: closes(),
  F17b: closes(),
  F17c: closes(),
  F17d: closes(),
  F17e: closes(400),
  F17f: closes(431),
  F17g: closes(400),
  F17h: closes(has('"method":"GET"')),
  F17i: closes(),
  F17j: { answers: [], after: "peer ends" },
  F17k: stays(),
  F17l: closes(),
};

// S03 to S12 name no method either.
const SCGI: Readonly<Record<string, Outcome>> = {
  S01: closes(has('"body":"What is the answer to life?"')),
  S02: closes(has('"method":"GET"')),
  S03: closes(400),
  S04: closes(400),
  S05: closes(400),
  S06: closes(400),
  S07: closes(400),
  S08: closes(400),
  S10d: closes(431),
  S10m: { answers: [], after: "peer ends" },
  S10n: { answers: [], after: "peer ends" },
  S11: closes(400),
  S12: closes(400),
};

const AJP: Readonly<Record<string, Outcome>> = {
  A01: stays({ ...has('"url":"/a/a%20b?q=1'), reuse: true, asked: 0 }),
  A02: stays({ ...has('"body":"hello"'), reuse: true, asked: 0 }),
  A03: stays({ ...has("ccc"), reuse: true }),
  A04: stays({ ...has('"body":"hello"'), reuse: true }, { ...has('"body":""'), reuse: true }),
  A05: stays({ ...has('"method":"PATCH"'), reuse: true, asked: 0 }),
  A06: stays(),
  A07: stays({ ...has('"x-empty":""'), reuse: true }),
  A08: stays({ ...has('"method":"GET"'), reuse: true }),
  A09: stays({ ...has('"method":"GET"'), reuse: true }),
  A10: stays({ ...has('"method":"GET"'), reuse: true }),
  A12: {
    ...closes({ status: 403, reuse: false }),
    options: { ajp: { secret: "0123456789abcdef" } },
  },
  A13: { ...stays({ ...has('"body":"hello"'), reuse: true }), options: { ajp: { rawBody: true } } },
  A14: stays({ status: 200, reuse: true }),
  A18a: closes(),
  A18b: closes(),
  A18m: closes(),
  A18n: closes(),
  A18o: { answers: [], after: "peer ends" },
  A19: closes({ status: 400, reuse: false }),
  A20: closes({ status: 400, reuse: false }),
};

/** Vectors of other tests: multiplex.test.ts, test/serve/suite-upgrade-ways.test.ts, and the encoders' own. */
const ELSEWHERE = new Set(["F09", "F16", "S13", "A15", "A16", "A17"]);

function outcomeOf(protocol: FramedProtocol, id: string): Outcome {
  const table = { fastcgi: FASTCGI, scgi: SCGI, ajp: AJP }[protocol];
  const named = table[id];
  if (named !== undefined) return named;
  if (/^S(09|10)/.test(id)) return closes(400);
  if (/^A(11|18)/.test(id)) return closes({ status: 400, reuse: false });
  throw new Error(`nobody said what ${id} comes to`);
}

/** Sends what the vector sends; waits for our frames where it has them. */
async function playSteps(peer: Peer, vector: JsonVector, outcome: Outcome): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const step of vector.steps) {
    if (step.dir === ">") peer.sends(bytesOf(step.hex));
    else if (step.notes?.[0]?.event === "ASKED") {
      expect(await peer.reads(7)).toBe(step.hex.replaceAll(" ", ""));
    } else if (step.notes?.[0]?.event === "ENDED" && answers.length < outcome.answers.length) {
      answers.push(await peer.answer());
    }
  }
  return answers;
}

async function check(protocol: FramedProtocol, vector: JsonVector, engine: Configuration) {
  const outcome = outcomeOf(protocol, vector.id);
  const scene = { protocol, handler: echo, ...outcome.options };
  await play(scene, engine, async ({ peer }) => {
    const answers = await playSteps(peer, vector, outcome);
    if (outcome.after === "peer ends") {
      peer.end();
      await peer.expectsClose();
      return;
    }
    while (answers.length < outcome.answers.length) answers.push(await peer.answer());
    const expected = outcome.answers.map((one) =>
      typeof one === "number" ? { status: one } : one,
    );
    expect(answers.sort((a, b) => a.id - b.id)).toMatchObject(expected);
    if (outcome.after === "closes") await peer.expectsClose();
    else if (vector.id !== "F07" && vector.id !== "F08" && vector.id !== "A06") {
      await peer.expectsSilence(20);
    }
  });
}

describe.each(["fastcgi", "scgi", "ajp"] as const)("vectors of %s", (protocol) => {
  const path = new URL(`../../vectors/${protocol}.json`, import.meta.url);
  const vectors = (JSON.parse(readFileSync(path, "utf8")) as JsonVector[]).filter(
    ({ id }) => !ELSEWHERE.has(id),
  );
  eachEngine(`vectors of ${protocol}`, (engine) => {
    test.each(vectors.map((vector) => [vector.id, vector.title, vector] as const))(
      `%s %s · ${engine}`,
      (_id, _title, vector) => check(protocol, vector, engine),
    );
  });
});

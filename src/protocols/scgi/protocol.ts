/**
 * SCGI as the rest of the house sees it: its decoder, head reader and encoder under one name.
 * It does nothing itself.
 */
import { ProtocolNumber } from "../../wire/abi.ts";
import { carriesOverScgi } from "../cgi/upgrade.ts";
import { createHeadReader } from "../cgi/variables.ts";
import type { Protocol } from "../protocol.ts";
import { createDecoder } from "./decoder.ts";
import { createEncoder } from "./encoder.ts";

/** The protocol SCGI. */
export const scgi: Protocol = {
  name: "scgi",
  number: ProtocolNumber.SCGI,
  createDecoder,
  readHead: createHeadReader(true),
  createEncoder,
  carriesUpgrade: carriesOverScgi,
  lengthAskedAhead: () => 0,
};

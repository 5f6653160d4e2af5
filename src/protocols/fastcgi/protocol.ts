/**
 * FastCGI as the rest of the house sees it: its decoder, head reader and encoder under one name.
 * It does nothing itself.
 */
import { ProtocolNumber } from "../../wire/abi.ts";
import { carriesOverFastCgi } from "../cgi/upgrade.ts";
import { createHeadReader } from "../cgi/variables.ts";
import type { Protocol } from "../protocol.ts";
import { createDecoder } from "./decoder.ts";
import { createEncoder } from "./encoder.ts";

/** The protocol FastCGI. */
export const fastcgi: Protocol = {
  name: "fastcgi",
  number: ProtocolNumber.FASTCGI,
  createDecoder,
  readHead: createHeadReader(false),
  createEncoder,
  carriesUpgrade: carriesOverFastCgi,
  lengthAskedAhead: () => 0,
};

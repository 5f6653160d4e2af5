/**
 * AJP as the rest of the house sees it: its decoder, head reader and encoder under one name.
 * It does nothing itself.
 */
import { ProtocolNumber } from "../../wire/abi.ts";

import type { Protocol } from "../protocol.ts";
import { createDecoder } from "./decoder.ts";
import { createEncoder } from "./encoder.ts";
import { readAjpHead } from "./head.ts";
import { lengthAskedAhead } from "./request-head.ts";

/** The protocol AJP. */
export const ajp: Protocol = {
  name: "ajp",
  number: ProtocolNumber.AJP,
  createDecoder,
  readHead: readAjpHead,
  createEncoder,
  // AJP 1.3 knows no answer that switches protocols.
  carriesUpgrade: () => false,
  lengthAskedAhead,
};

/**
 * A decoder's options → the numbers that the addon takes. It checks none of them: serve/ has, and the addon does.
 * Twin: TakeOptions in native/binding/js_values.cc.
 */
import { DECODER_OPTIONS, DecoderOption } from "../wire/abi.ts";
import type { DecoderOptions } from "../wire/limits.ts";

/** Writes decoder options as the numbers that the addon takes, {@link DECODER_OPTIONS} of them. */
export function writeOptions(numbers: Float64Array, options: DecoderOptions): Float64Array {
  numbers[DecoderOption.HEAD_BYTES] = options.headBytes;
  numbers[DecoderOption.FIELD_COUNT] = options.fieldCount;
  numbers[DecoderOption.NAME_BYTES] = options.nameBytes;
  numbers[DecoderOption.VALUE_BYTES] = options.valueBytes;
  numbers[DecoderOption.BODY_BYTES] = options.bodyBytes;
  numbers[DecoderOption.HEAD_RECORDS] = options.headRecords;
  numbers[DecoderOption.REQUESTS_PER_CONNECTION] = options.requestsPerConnection;
  numbers[DecoderOption.AJP_PACKET_BYTES] = options.ajpPacketBytes;
  numbers[DecoderOption.AJP_RAW_BODY] = options.ajpRawBody ? 1 : 0;
  numbers[DecoderOption.SCGI_STRICT] = options.scgiStrict ? 1 : 0;
  return numbers;
}

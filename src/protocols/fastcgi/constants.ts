/**
 * The numbers of FastCGI 1.0: record types, flags, protocol statuses, names of management variables.
 * It holds no behaviour and no limits of ours. FastCGI specification §3.3, §4, §5 and §8; roles are in wire/abi.ts.
 */

/** The only version there is (FCGI_VERSION_1). */
export const VERSION = 1;

/** Bytes of a record header (FCGI_HEADER_LEN). */
export const HEADER_BYTES = 8;

/** Bytes of the content of BEGIN_REQUEST, END_REQUEST and UNKNOWN_TYPE. */
export const BODY_BYTES = 8;

/** Most content bytes of one record: contentLength is a u16. */
export const CONTENT_BYTES_MAX = 65_535;

/** Most padding bytes of one record: paddingLength is a u8. */
export const PADDING_BYTES_MAX = 255;

/** Largest content that is a multiple of 8, as the specification recommends for alignment. */
export const CONTENT_BYTES_ALIGNED_MAX = 65_528;

/** Request id of management records (FCGI_NULL_REQUEST_ID). */
export const NULL_REQUEST_ID = 0;

/** Record types (§8). */
export const RecordType = {
  BEGIN_REQUEST: 1,
  ABORT_REQUEST: 2,
  END_REQUEST: 3,
  PARAMS: 4,
  STDIN: 5,
  STDOUT: 6,
  STDERR: 7,
  DATA: 8,
  GET_VALUES: 9,
  GET_VALUES_RESULT: 10,
  UNKNOWN_TYPE: 11,
} as const;

/** Bits of the flags byte of BEGIN_REQUEST (§5.1). */
export const BeginFlag = { KEEP_CONN: 1 } as const;

/** protocolStatus of END_REQUEST (§5.5). */
export const ProtocolStatus = {
  REQUEST_COMPLETE: 0,
  CANT_MPX_CONN: 1,
  OVERLOADED: 2,
  UNKNOWN_ROLE: 3,
} as const;

/** Names that GET_VALUES asks for (§4.1). */
export const ManagementName = {
  MAX_CONNS: "FCGI_MAX_CONNS",
  MAX_REQS: "FCGI_MAX_REQS",
  MPXS_CONNS: "FCGI_MPXS_CONNS",
} as const;

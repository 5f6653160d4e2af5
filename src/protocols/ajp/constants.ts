/**
 * The numbers of AJP 1.3: magic, packet types, sizes, attribute codes.
 * It holds no behaviour and no names; those are in names.ts. Apache JServ Protocol 1.3, ajpv13a and ajpv13ext.
 */

/** First two bytes of every packet from the web server. */
export const MAGIC_FROM_SERVER = 0x1234;

/** First two bytes of every packet to the web server: "AB". */
export const MAGIC_TO_SERVER = 0x4142;

/** Bytes in front of the payload: magic and payload length. */
export const HEADER_BYTES = 4;

/** Packet size when nothing else is configured on both sides, header included; also the smallest allowed. */
export const PACKET_BYTES_DEFAULT = 8192;

/** Largest packet size, header included. */
export const PACKET_BYTES_MAX = 65_536;

/** Bytes of a body packet that are not body: header and inner length. */
export const BODY_OVERHEAD_BYTES = 6;

/** Bytes of a SEND_BODY_CHUNK packet that are not body: header, type, length, NUL. */
export const CHUNK_OVERHEAD_BYTES = 8;

/** Length of a null string: nothing follows, not even the NUL. */
export const NULL_STRING = 0xffff;

/** First byte of a coded header name, where a string would have its length. */
export const CODED_NAME = 0xa0;

/** First payload byte of every packet but body data. */
export const PacketType = {
  FORWARD_REQUEST: 0x02,
  SEND_BODY_CHUNK: 0x03,
  SEND_HEADERS: 0x04,
  END_RESPONSE: 0x05,
  GET_BODY_CHUNK: 0x06,
  SHUTDOWN: 0x07,
  PING: 0x08,
  CPONG: 0x09,
  CPING: 0x0a,
} as const;

/** Method byte that says "the word stands in attribute STORED_METHOD". */
export const METHOD_STORED = 255;

/** Largest method code that is a method. */
export const METHOD_MAX = 27;

/** Codes of the attributes that follow the headers of a Forward Request. */
export const AttributeCode = {
  CONTEXT: 0x01,
  SERVLET_PATH: 0x02,
  REMOTE_USER: 0x03,
  AUTH_TYPE: 0x04,
  QUERY_STRING: 0x05,
  JVM_ROUTE: 0x06,
  SSL_CERT: 0x07,
  SSL_CIPHER: 0x08,
  SSL_SESSION: 0x09,
  REQ_ATTRIBUTE: 0x0a,
  SSL_KEY_SIZE: 0x0b,
  SECRET: 0x0c,
  STORED_METHOD: 0x0d,
  ARE_DONE: 0xff,
} as const;

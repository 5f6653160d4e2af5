/**
 * The numbers that cross the seam between a decoder and the rest: row kinds, row widths, details, notes.
 * It holds no behaviour and knows no protocol's field layout beyond what a row says.
 * Twin: native/core/abi.h — engine/native.ts compares every number here with the addon's at load.
 */

/** Integers in one event row: kind, connection, exchangeId, start, length, detail. */
export const EVENT_WIDTH = 6;
/** Integers in one field row: nameId or −nameStart, nameLength, valueStart, valueLength. */
export const FIELD_WIDTH = 4;
/** Event rows a table holds. A decoder that needs more stops and is called again. */
export const EVENT_ROWS = 1024;
/** Field rows a table holds beyond `limits.fieldCount`: the head row, and AJP's fixed fields. */
export const FIELD_ROWS_EXTRA = 32;

/**
 * Columns of an event row. `start` and `length` are bytes of the ring (BODY, DATA, CONTROL) or field
 * rows (HEAD); 0 elsewhere. `connection` is 0 where a decoder serves one connection.
 */
export const EventColumn = {
  KIND: 0,
  CONNECTION: 1,
  EXCHANGE_ID: 2,
  START: 3,
  LENGTH: 4,
  DETAIL: 5,
} as const;

/**
 * What happened.
 *
 * - BEGIN     a request begins; detail = role | KEEP_CONNECTION. Always before its HEAD.
 * - HEAD      the head is complete; start/length = range of field rows, the first of which is the head row
 *             ({@link HeadColumn}); detail = a {@link BodyKind}. BODY_END follows in the same call for NONE.
 * - BODY      bytes of the request body, ring [start, start+length).
 * - BODY_END  the body is complete; detail 1 = the leftover of an already ended exchange (a zombie) is complete.
 * - DATA, DATA_END  the Filter's file (FastCGI §6.4).
 * - ABORT     the peer gave the request up (ABORT_REQUEST).
 * - CONTROL   a frame for the connection itself; detail = its type (GET_VALUES 9, CPing 10, any unknown type
 *             of a record with id 0); start/length = its content, where the answer needs it.
 * - ERROR     the peer broke a rule or a limit; detail = `number` of the row in errors.ts. Of connection scope:
 *             no row follows, ever. Of request scope: rows of that exchangeId stop until `note(ENDED)`.
 */
export const RowKind = {
  BEGIN: 1,
  HEAD: 2,
  BODY: 3,
  BODY_END: 4,
  DATA: 5,
  DATA_END: 6,
  ABORT: 7,
  CONTROL: 8,
  ERROR: 9,
} as const;

/**
 * What happened to a connection of the native transport. Its rows and those of its decoder share one table, and name it
 * in the column CONNECTION.
 *
 * - OPEN      a connection was accepted.
 * - SPEAKS    its first bytes came, ring [start, start+length); detail = what the table of first bytes says of them.
 *             For a protocol with a decoder its rows follow; otherwise the bytes are whoever's reads this row.
 * - ENDED     the peer will send nothing more; detail = an {@link EndedDetail}.
 * - DRAINED   what was queued has gone to the kernel.
 * - GONE      the connection is closed already; detail = an errno, or 0. No row of it follows.
 * - DROPPED   length bytes came and were thrown away.
 * - HELD      more bytes wait behind an unanswered upgrade than a frame can have: reading has to pause.
 * - ACCEPT_FAILED  there was no descriptor for a connection; detail = errno. Nobody is accepted until we say so.
 */
export const TransportRow = {
  OPEN: 20,
  SPEAKS: 21,
  ENDED: 22,
  DRAINED: 23,
  GONE: 24,
  DROPPED: 25,
  HELD: 26,
  ACCEPT_FAILED: 27,
} as const;

/** How a peer has ended: its own side; both (unix sockets alone can tell); or its own while unread bytes may wait. */
export const EndedDetail = { HALF: 0, CLOSED: 1, UNREAD: 2 } as const;

/** Roles of a request, as FastCGI numbers them (§6.1); SCGI and AJP requests are RESPONDER. */
export const Role = { RESPONDER: 1, AUTHORIZER: 2, FILTER: 3 } as const;

/** Bit of BEGIN.detail: the peer keeps the connection after this request (FastCGI KEEP_CONN; AJP always). */
export const KEEP_CONNECTION = 256;

/** HEAD.detail: is there a body, and is its length known? */
export const BodyKind = { NONE: 0, KNOWN: 1, UNKNOWN: 2 } as const;

/**
 * BODY.detail, bits of the native transport's rows, 0 elsewhere: the bytes are not the ring's but those of the piece that
 * TypeScript gave for bodies; more rows follow of the frame that brought them, which the last of them counts.
 */
export const BodyDetail = { LANDED: 1, PART: 2 } as const;

/**
 * Columns of the head row, the first field row of every HEAD: the bytes [BYTES_START, +BYTES_LENGTH) of the ring
 * hold every name and value of this head, so one string and offsets relative to BYTES_START are the whole head.
 * META_A and META_B are 0 for FastCGI and SCGI. AJP: META_A = method code | is_ssl << 8,
 * META_B = server_port | number of request header rows << 16 (read the upper half with `>>> 16`).
 */
export const HeadColumn = { BYTES_START: 0, BYTES_LENGTH: 1, META_A: 2, META_B: 3 } as const;

/** What we tell a decoder about our own doing, where its next bytes depend on it. See {@link Decoder.note}. */
export const Note = { ASKED: 1, ENDED: 2, UPGRADED: 3 } as const;

/** Cells of `tables.state`. */
export const StateCell = {
  /** Ring offset of the first byte not consumed. */
  CONSUMED: 0,
  /** 1 when a table was full: dispatch the rows and call decode again from CONSUMED. */
  MORE: 1,
  /** 1 when the native transport wants memory for bodies: a piece of it, before the next poll. */
  PIECE_WANTED: 2,
} as const;
/** Integers in `tables.state`. */
export const STATE_CELLS = 4;

/** Decoder options, in the order of the numbers given to the addon. Flags are 0 or 1. */
export const DecoderOption = {
  HEAD_BYTES: 0,
  FIELD_COUNT: 1,
  NAME_BYTES: 2,
  VALUE_BYTES: 3,
  BODY_BYTES: 4,
  HEAD_RECORDS: 5,
  /** Requests one connection may carry at once: 1, or up to 100 with multiplexing. */
  REQUESTS_PER_CONNECTION: 6,
  AJP_PACKET_BYTES: 7,
  AJP_RAW_BODY: 8,
  SCGI_STRICT: 9,
} as const;
/** Numbers in the array of decoder options. */
export const DECODER_OPTIONS = 10;

/** Protocols as the addon numbers them. */
export const ProtocolNumber = { FASTCGI: 1, SCGI: 2, AJP: 3 } as const;

/** Integers in each step of a line that the addon writes: its text stands in front of its value. See engine/lines.ts. */
export const LINE_COLUMNS = 4;
/** Columns of such a step. */
export const LineColumn = { KIND: 0, CELL: 1, TEXT_START: 2, TEXT_LENGTH: 3 } as const;
/** The cell that is no value's: the second since 1970 that the literals are of, or 0: of any. */
export const LineCell = { SECOND: 0 } as const;
/** What stands behind a step's text: nothing more, a number, or bytes. */
export const LineStep = { END: 0, NUMBER: 1, BYTES: 2 } as const;
/** Starts of bytes from here on are in the literals; lower ones are in the head's text. */
export const LINE_LITERALS = 268_435_456;
/** And from here on in the text that was added. */
export const LINE_ADDED = 536_870_912;

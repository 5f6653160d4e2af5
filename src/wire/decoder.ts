/**
 * The seam: received bytes in, rows of integers out.
 * It says what every decoder promises, in both engines; it decodes nothing itself.
 * Rows and numbers are those of abi.ts.
 */

/** Turns received bytes into rows. One decoder serves one connection. */
export interface Decoder {
  /**
   * Reads ring bytes [start, end) and writes event rows and field rows into the attached tables.
   *
   * Called once per socket read, not once per frame. Never throws: a peer's mistake is a row of kind
   * ERROR, and after one of connection scope no row follows (everything is consumed and dropped).
   * Bytes of an unfinished frame are left; `tables.state[CONSUMED]` says where they begin, and the next
   * call must find them right before the new bytes. Rows always start at the head of the tables.
   *
   * @param start offset of the first undecoded byte, in bytes from the start of the ring
   * @param end   offset after the last received byte
   * @returns number of event rows written; `tables.state[MORE]` is 1 when a table was full (dispatch, call again)
   */
  decode(start: number, end: number): number;

  /**
   * Tells the decoder what we did, where the protocol makes the next bytes depend on it.
   *
   * @param event a {@link Note}: ASKED (Get Body Chunk sent: the next AJP packet has no type byte), ENDED (our
   *   end left: late frames of this exchange are dropped), UPGRADED (101 sent: bytes are BODY from here on)
   * @param exchangeId the exchange meant; 1 for SCGI and AJP
   */
  note(event: number, exchangeId: number): void;

  /** The connection is gone: whoever made the decoder may use what is behind it again. Whatever follows does nothing. */
  release?(): void;

  /** Does a request begin with the next byte, as with the first of a connection? Then another decoder may go on here. */
  readonly resting: boolean;
}

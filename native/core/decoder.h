// The seam as native code sees it: received bytes in, rows of integers out.
// It says what every decoder promises and what it is given; it decodes nothing itself.
// Twin: src/wire/decoder.ts, src/wire/ring.ts and DecoderOptions of src/wire/limits.ts.
#ifndef POSTERN_CORE_DECODER_H_
#define POSTERN_CORE_DECODER_H_

#include <cstdint>
#include <memory>

#include "abi.h"
#include "bytes.h"
#include "row_writer.h"

namespace postern {

// The memory that received bytes live in. Offsets of rows are offsets into `bytes`.
struct Ring {
  BytesView bytes;
  // Where the read area ends and the head area [read_end, head_end) begins.
  uint32_t read_end = 0;
  uint32_t head_end = 0;
};

// A limit that is switched off (`Infinity`): larger than every count that can be reached.
constexpr uint64_t kNoLimit = UINT64_MAX;

// The numbers of DecoderOption.
struct DecoderOptions {
  uint64_t head_bytes = kNoLimit;
  uint64_t field_count = kNoLimit;
  uint64_t name_bytes = kNoLimit;
  uint64_t value_bytes = kNoLimit;
  uint64_t body_bytes = kNoLimit;
  uint64_t head_records = kNoLimit;
  uint64_t requests_per_connection = 1;
  uint64_t ajp_packet_bytes = 8192;
  bool ajp_raw_body = false;
  bool scgi_strict = false;
  // Hands over what has come of a body frame before it is whole. No option of TypeScript's: the
  // native transport reads the rest of such a frame to where it stays.
  bool streams_bodies = false;
};

// What of a body a connection's next bytes are: for certain, and then if the frames to come are
// like the last one. All 0 where nothing of the kind is expected.
struct BodyOutlook {
  // Body bytes that come next, for certain.
  uint32_t ahead_bytes = 0;
  // Then, again and again: bytes between the contents of two frames, and bytes of a content.
  uint32_t gap_bytes = 0;
  uint32_t frame_bytes = 0;
  // Body bytes still to come in such frames, and how many frames.
  uint64_t due_bytes = 0;
  uint64_t due_frames = 0;
};

// Turns received bytes into rows. One decoder serves one connection.
class Decoder {
 public:
  virtual ~Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Reads ring bytes [start, end) and writes rows behind those since RowWriter::Begin(); the state
  // cells say what was consumed and whether a table was full. Precondition: start <= end <=
  // read_end. Postcondition: start <= consumed <= end; returns the number of event rows.
  virtual uint32_t Decode(uint32_t start, uint32_t end) = 0;

  // For a transport that reads bodies to where they stay instead of into the ring.
  virtual BodyOutlook Outlook() const { return {}; }

  // Takes `n` body bytes that were read to `start` of the landing: as Decode() of as many ring
  // bytes, with rows that say BodyDetail::kLanded. Precondition: n <= Outlook().ahead_bytes, and
  // room for two event rows.
  virtual void TakeLanded(uint32_t /*start*/, uint32_t /*n*/) {}

  // Tells the decoder what we did (a Note), where the protocol makes the next bytes depend on it.
  virtual void NoteEvent(uint32_t event, uint32_t exchange_id) = 0;

  // Has the peer sent everything that belongs to the requests of this connection so far, as its
  // protocol ends them? Then a connection that is not used again can be closed without waiting.
  virtual bool IsQuiet() const = 0;

  // Does a request begin with the next byte, as with the first of a connection? Then another
  // decoder may go on here.
  virtual bool IsResting() const = 0;

 protected:
  Decoder() = default;
};

}  // namespace postern

#endif  // POSTERN_CORE_DECODER_H_

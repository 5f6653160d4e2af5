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

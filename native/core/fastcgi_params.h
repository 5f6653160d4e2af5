// PARAMS bytes → field rows (FastCGI specification §3.4, name-value pairs).
// It gathers nothing and frames nothing: it is given a stretch of the stream, in place or put
// together. Twin: src/protocols/fastcgi/params.ts — same checks in the same order.
#ifndef POSTERN_CORE_FASTCGI_PARAMS_H_
#define POSTERN_CORE_FASTCGI_PARAMS_H_

#include <cstdint>

#include "abi.h"
#include "bytes.h"
#include "content_length.h"
#include "decoder.h"
#include "fastcgi_requests.h"
#include "row_writer.h"

namespace postern {

// How reading went: well, or why not.
struct ParamsResult {
  enum class Kind : uint8_t {
    kWell,
    // The lengths of a pair are not whole yet.
    kIncomplete,
    // The tables are full; try again with empty ones.
    kNoRoom,
    // The peer's mistake: `error` says which.
    kError,
  };
  Kind kind = Kind::kWell;
  ErrorNumber error = Error::kNone;

  static ParamsResult Failure(ErrorNumber error) { return {Kind::kError, error}; }
};

// Reads pairs against the limits of one server. Remembers only the last head's CONTENT_LENGTH.
class ParamsReader {
 public:
  explicit ParamsReader(const DecoderOptions& options)
      : head_bytes_(options.head_bytes),
        field_count_(options.field_count),
        name_bytes_(options.name_bytes),
        value_bytes_(options.value_bytes) {}

  // CONTENT_LENGTH of the head that Write() read last.
  const ContentLengthField& content_length() const { return content_length_; }

  // Checks the pairs of what has been gathered so far, from where the last check stopped.
  // Returns Error::kNone or the error.
  ErrorNumber Scan(RequestSlot& slot) const;

  // Writes the field rows of a whole PARAMS stream: head row, then one row for each pair with a
  // name. Precondition: start <= end <= bytes.size(). Postcondition: field rows are taken back
  // unless all went well.
  ParamsResult Write(BytesView bytes, uint32_t start, uint32_t end, RowWriter& rows);

 private:
  // The two lengths of one pair.
  struct Pair {
    // Offset of the name.
    uint32_t name = 0;
    uint32_t name_length = 0;
    uint32_t value_length = 0;
  };

  ParamsResult ReadPair(BytesView bytes, uint32_t at, uint32_t end, uint32_t stream_start,
                        uint64_t pair_count, Pair& pair) const;
  bool ReadShortPair(BytesView bytes, uint32_t at, uint32_t end, uint32_t stream_start,
                     uint64_t pair_count, Pair& pair) const;
  ParamsResult WritePairs(BytesView bytes, uint32_t start, uint32_t end, RowWriter& rows);

  ContentLengthField content_length_;
  uint64_t head_bytes_;
  uint64_t field_count_;
  uint64_t name_bytes_;
  uint64_t value_bytes_;
};

}  // namespace postern

#endif  // POSTERN_CORE_FASTCGI_PARAMS_H_

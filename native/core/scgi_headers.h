// The headers of one SCGI netstring → field rows (SCGI protocol document: name NUL value NUL).
// It looks at a whole block only; length, comma and body are the decoder's. Remembers what the
// decoder asks afterwards. Twin: src/protocols/scgi/headers.ts — same checks in the same order.
#ifndef POSTERN_CORE_SCGI_HEADERS_H_
#define POSTERN_CORE_SCGI_HEADERS_H_

#include <cstdint>

#include "abi.h"
#include "bytes.h"
#include "content_length.h"
#include "decoder.h"
#include "row_writer.h"

namespace postern {

// Reads header blocks against the limits of one server.
class HeaderReader {
 public:
  HeaderReader(const RowWriter& rows, const DecoderOptions& options);

  // CONTENT_LENGTH of the block read last.
  const ContentLengthField& content_length() const { return content_length_; }
  // Had it an HTTP_UPGRADE that is not empty?
  bool asks_upgrade() const { return asks_upgrade_; }
  // In strict mode: is CONTENT_LENGTH not first, SCGI not 1, or a name there twice?
  bool breaks_strict_rules() const { return breaks_strict_rules_; }

  // Writes head row and field rows. Precondition: the tables are empty; start <= end <=
  // bytes.size(). Returns Error::kNone or the error.
  ErrorNumber Write(BytesView bytes, uint32_t start, uint32_t end, RowWriter& rows);

 private:
  ContentLengthField content_length_;
  bool asks_upgrade_ = false;
  bool breaks_strict_rules_ = false;
  uint64_t field_count_;
  uint64_t name_bytes_;
  uint64_t value_bytes_;
  bool strict_;
};

}  // namespace postern

#endif  // POSTERN_CORE_SCGI_HEADERS_H_

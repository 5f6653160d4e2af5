// The payload of a Forward Request → field rows (Apache JServ Protocol 1.3, ajpv13a "Forward
// Request"). It looks at a whole payload only; packets, bodies and states are the decoder's. Coded
// names stay codes: ids, no strings. Twin: src/protocols/ajp/forward-request.ts — same checks in
// the same order.
#ifndef POSTERN_CORE_AJP_FORWARD_REQUEST_H_
#define POSTERN_CORE_AJP_FORWARD_REQUEST_H_

#include <cstdint>
#include <string_view>

#include "abi.h"
#include "bytes.h"
#include "decoder.h"
#include "row_writer.h"

namespace postern {

// Reads Forward Requests against the limits of one server. `rows` is borrowed from the connection's
// decoder.
class ForwardRequestReader {
 public:
  ForwardRequestReader(BytesView bytes, RowWriter& rows, const DecoderOptions& options);

  // Method byte of the request read last.
  uint32_t method() const { return method_; }
  // Where its Content-Length is; length −1 when it has none.
  uint32_t content_length_start() const { return content_length_start_; }
  int64_t content_length_length() const { return content_length_length_; }
  // Had it more than one Content-Length? Even equal ones are refused (A19).
  bool content_length_twice() const { return content_length_twice_; }
  bool has_transfer_encoding() const { return has_transfer_encoding_; }

  // Writes the head row, five fixed rows, a row a header, a row an attribute. Precondition: the
  // field table is empty, start < end, and [start, end) is a payload whose first byte is the packet
  // type. Returns Error::kNone or the error.
  ErrorNumber Write(uint32_t start, uint32_t end);

 private:
  void Clear(uint32_t at, uint32_t end);
  uint32_t ReadNumber();
  ErrorNumber ReadString();
  ErrorNumber ReadValue();
  ErrorNumber ReadName();
  ErrorNumber ReadFixed();
  ErrorNumber ReadHeader();
  ErrorNumber ReadAttributes();
  ErrorNumber ReadAttribute(uint32_t code);
  ErrorNumber ReadKeySize();
  bool DigitsFollow(uint32_t count) const;
  bool IsNamed(std::string_view lower_name) const;
  void WriteField(int32_t name, uint32_t name_length);

  BytesView bytes_;
  RowWriter& rows_;
  uint64_t field_count_;
  uint64_t name_bytes_;
  uint64_t value_bytes_;
  uint32_t method_ = 0;
  uint32_t content_length_start_ = 0;
  int64_t content_length_length_ = -1;
  bool content_length_twice_ = false;
  bool has_transfer_encoding_ = false;
  bool has_secret_ = false;
  bool has_stored_method_ = false;
  // Start and length of the string read last; a null string has length 0.
  uint32_t string_start_ = 0;
  uint32_t string_length_ = 0;
  // Cursor and end of the payload; at_ <= end_ always.
  uint32_t at_ = 0;
  uint32_t end_ = 0;
  uint64_t count_ = 0;
};

}  // namespace postern

#endif  // POSTERN_CORE_AJP_FORWARD_REQUEST_H_

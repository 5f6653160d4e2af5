// Fixed part, headers, attributes, in the order of the packet (Apache JServ Protocol 1.3, ajpv13a
// "Forward Request").
//
//   ┌────┬────────┬──────────┬─────────┬─────────────┬─────────────┬─────────────┬─────────────┬────────┬─────────────┐
//   │ 02 │ method │ protocol │ req_uri │ remote_addr │ remote_host │ server_name │ server_port │
//   is_ssl │ num_headers │ │    │ u8     │ string   │ string  │ string      │ string      │ string
//   │ u16         │ u8     │ u16         │
//   └────┴────────┴──────────┴─────────┴─────────────┴─────────────┴─────────────┴─────────────┴────────┴─────────────┘
//   then num_headers × (code A0xx or string, string), attributes × (code, string …), ff
//
// It knows no state of the connection. Twin: src/protocols/ajp/forward-request.ts.
#include "ajp_forward_request.h"

#include <algorithm>

#include "ajp_constants.h"
#include "field_names.h"

namespace postern {

using ajp::AttributeCode;

namespace {

constexpr uint32_t kContentLength = FieldId("CONTENT_LENGTH");
constexpr uint32_t kSslKeySize = FieldId("ajp:ssl_key_size");
constexpr uint32_t kSslKeyBits = FieldId("ajp:ssl_key_bits");

// Ids of the five strings that every request has, in their order.
constexpr uint32_t kFixedIds[] = {FieldId("SERVER_PROTOCOL"), FieldId("ajp:req_uri"),
                                  FieldId("REMOTE_ADDR"), FieldId("REMOTE_HOST"),
                                  FieldId("SERVER_NAME")};

// Field ids of coded request headers by the low byte of their code; 0 where there is no header.
constexpr uint32_t kRequestHeaderIds[] = {
    0,
    FieldId("HTTP_ACCEPT"),
    FieldId("HTTP_ACCEPT_CHARSET"),
    FieldId("HTTP_ACCEPT_ENCODING"),
    FieldId("HTTP_ACCEPT_LANGUAGE"),
    FieldId("HTTP_AUTHORIZATION"),
    FieldId("HTTP_CONNECTION"),
    FieldId("CONTENT_TYPE"),
    FieldId("CONTENT_LENGTH"),
    FieldId("HTTP_COOKIE"),
    FieldId("HTTP_COOKIE2"),
    FieldId("HTTP_HOST"),
    FieldId("HTTP_PRAGMA"),
    FieldId("HTTP_REFERER"),
    FieldId("HTTP_USER_AGENT"),
};

// Field ids of attributes by their code; 0 where the decoder has to look closer (0A, 0B) or knows
// none.
constexpr uint32_t kAttributeIds[] = {
    0,
    FieldId("ajp:context"),
    FieldId("ajp:servlet_path"),
    FieldId("REMOTE_USER"),
    FieldId("AUTH_TYPE"),
    FieldId("QUERY_STRING"),
    FieldId("ajp:jvm_route"),
    FieldId("ajp:ssl_cert"),
    FieldId("ajp:ssl_cipher"),
    FieldId("ajp:ssl_session"),
    0,
    0,
    FieldId("ajp:secret"),
    FieldId("ajp:stored_method"),
};

// The id at `code`, or 0 for a code that the table does not have.
template <size_t N>
uint32_t IdOf(const uint32_t (&ids)[N], uint32_t code) {
  return code < N ? ids[code] : 0;
}

constexpr std::string_view kContentLengthName = "content-length";
constexpr std::string_view kTransferEncodingName = "transfer-encoding";

// Most digits of a key size that lighttpd writes as a string.
constexpr uint32_t kKeySizeDigitsMax = 5;

}  // namespace

ForwardRequestReader::ForwardRequestReader(BytesView bytes, RowWriter& rows,
                                           const DecoderOptions& options)
    : bytes_(bytes),
      rows_(rows),
      field_count_(std::min<uint64_t>(options.field_count, rows.field_limit())),
      name_bytes_(options.name_bytes),
      value_bytes_(options.value_bytes) {}

ErrorNumber ForwardRequestReader::Write(uint32_t start, uint32_t end) {
  Clear(end - start < 2 ? end : start + 2, end);
  if (end - start < 2) return Error::kAjpForward;
  const uint32_t method = bytes_.U8(start + 1);
  if (method == 0 || (method > ajp::kMethodMax && method != ajp::kMethodStored)) {
    return Error::kAjpForward;
  }
  method_ = method;
  const uint32_t head_row = rows_.field_count();
  rows_.Field(static_cast<int32_t>(start), end - start, 0, 0);
  const ErrorNumber fixed = ReadFixed();
  if (fixed != Error::kNone) return fixed;
  if (end_ - at_ < 5) return Error::kAjpForward;
  const uint32_t port = ReadNumber();
  const uint32_t ssl = bytes_.U8(at_) != 0 ? 0x100 : 0;
  at_++;
  const uint32_t header_count = ReadNumber();
  for (uint32_t i = 0; i < header_count; i++) {
    const ErrorNumber failure = ReadHeader();
    if (failure != Error::kNone) return failure;
  }
  const ErrorNumber failure = ReadAttributes();
  if (failure != Error::kNone) return failure;
  if (method == ajp::kMethodStored && !has_stored_method_) return Error::kAjpForward;
  rows_.SetField(head_row, HeadColumn::kMetaA, method | ssl);
  rows_.SetField(head_row, HeadColumn::kMetaB, port | (header_count << 16));
  return Error::kNone;
}

void ForwardRequestReader::Clear(uint32_t at, uint32_t end) {
  content_length_start_ = 0;
  content_length_length_ = -1;
  content_length_twice_ = false;
  has_transfer_encoding_ = false;
  at_ = at;
  end_ = end;
  count_ = 0;
  has_secret_ = false;
  has_stored_method_ = false;
}

// A u16 at the cursor. Precondition: two bytes are there.
uint32_t ForwardRequestReader::ReadNumber() {
  const uint32_t number = bytes_.U16(at_);
  at_ += 2;
  return number;
}

// A string at the cursor: length, bytes, NUL; no NUL inside; ff ff is null.
ErrorNumber ForwardRequestReader::ReadString() {
  const uint32_t left = end_ - at_;
  if (left < 2) return Error::kAjpForward;
  const uint32_t length = bytes_.U16(at_);
  const uint32_t start = at_ + 2;
  string_start_ = start;
  string_length_ = 0;
  if (length == ajp::kNullString) {
    at_ = start;
    return Error::kNone;
  }
  if (length >= left - 2) return Error::kAjpForward;
  // The first NUL is the one at the end.
  if (bytes_.U8(start + length) != 0 || bytes_.HasNul(start, length)) return Error::kAjpForward;
  string_length_ = length;
  at_ = start + length + 1;
  return Error::kNone;
}

ErrorNumber ForwardRequestReader::ReadValue() {
  const ErrorNumber failure = ReadString();
  if (failure != Error::kNone) return failure;
  return string_length_ > value_bytes_ ? Error::kLimitValueBytes : Error::kNone;
}

// A name that has to be one: neither null nor empty.
ErrorNumber ForwardRequestReader::ReadName() {
  const ErrorNumber failure = ReadString();
  if (failure != Error::kNone) return failure;
  if (string_length_ == 0) return Error::kAjpForward;
  return string_length_ > name_bytes_ ? Error::kLimitNameBytes : Error::kNone;
}

// The five strings that every request has.
ErrorNumber ForwardRequestReader::ReadFixed() {
  for (const uint32_t id : kFixedIds) {
    const ErrorNumber failure = ReadValue();
    if (failure != Error::kNone) return failure;
    WriteField(static_cast<int32_t>(id), 0);
  }
  return Error::kNone;
}

ErrorNumber ForwardRequestReader::ReadHeader() {
  count_++;
  if (count_ > field_count_) return Error::kLimitFieldCount;
  if (end_ - at_ < 2) return Error::kAjpForward;
  int32_t name = 0;
  uint32_t name_length = 0;
  bool is_content_length = false;
  // Only a first byte of a0 marks a code; lengths 7 and 8 are not codes A007 and A008 (A08).
  if (bytes_.U8(at_) == ajp::kCodedName) {
    const uint32_t id = IdOf(kRequestHeaderIds, bytes_.U8(at_ + 1));
    if (id == 0) return Error::kAjpForward;
    at_ += 2;
    name = static_cast<int32_t>(id);
    is_content_length = id == kContentLength;
  } else {
    const ErrorNumber failure = ReadName();
    if (failure != Error::kNone) return failure;
    name = -static_cast<int32_t>(string_start_);
    name_length = string_length_;
    is_content_length = IsNamed(kContentLengthName);
    if (IsNamed(kTransferEncodingName)) has_transfer_encoding_ = true;
  }
  const ErrorNumber failure = ReadValue();
  if (failure != Error::kNone) return failure;
  if (is_content_length) {
    if (content_length_length_ >= 0) content_length_twice_ = true;
    content_length_start_ = string_start_;
    content_length_length_ = string_length_;
  }
  WriteField(name, name_length);
  return Error::kNone;
}

// Is the string read last this lower-case name, in any case?
bool ForwardRequestReader::IsNamed(std::string_view lower_name) const {
  if (string_length_ != lower_name.size()) return false;
  for (uint32_t i = 0; i < string_length_; i++) {
    const uint32_t byte = bytes_.U8(string_start_ + i);
    const uint32_t lower = byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
    if (lower != static_cast<uint8_t>(lower_name[i])) return false;
  }
  return true;
}

// Writes the row of the string read last.
void ForwardRequestReader::WriteField(int32_t name, uint32_t name_length) {
  rows_.Field(name, name_length, string_start_, string_length_);
}

// Attributes up to their end, which has to be there; what follows it is ignored.
ErrorNumber ForwardRequestReader::ReadAttributes() {
  while (at_ < end_) {
    const uint32_t code = bytes_.U8(at_);
    at_++;
    if (code == AttributeCode::kAreDone) return Error::kNone;
    count_++;
    if (count_ > field_count_) return Error::kLimitFieldCount;
    const ErrorNumber failure = ReadAttribute(code);
    if (failure != Error::kNone) return failure;
  }
  return Error::kAjpForward;
}

ErrorNumber ForwardRequestReader::ReadAttribute(uint32_t code) {
  if (code == AttributeCode::kSslKeySize) return ReadKeySize();
  int32_t name = static_cast<int32_t>(IdOf(kAttributeIds, code));
  uint32_t name_length = 0;
  if (code == AttributeCode::kReqAttribute) {
    const ErrorNumber failure = ReadName();
    if (failure != Error::kNone) return failure;
    name = -static_cast<int32_t>(string_start_);
    name_length = string_length_;
  } else if (name == 0) {
    // An unknown code: the shape of its value is unknown, and so is everything after it (A11).
    return Error::kAjpForward;
  }
  const ErrorNumber failure = ReadValue();
  if (failure != Error::kNone) return failure;
  if (code == AttributeCode::kSecret) {
    if (has_secret_) return Error::kAjpForward;
    has_secret_ = true;
  } else if (code == AttributeCode::kStoredMethod && string_length_ > 0) {
    has_stored_method_ = true;
  }
  WriteField(name, name_length);
  return Error::kNone;
}

// A u16 number of bits; or, as lighttpd writes it, a string of up to five digits (A10).
ErrorNumber ForwardRequestReader::ReadKeySize() {
  if (end_ - at_ < 2) return Error::kAjpForward;
  const uint32_t start = at_;
  const uint32_t number = ReadNumber();
  if (DigitsFollow(number)) {
    rows_.Field(static_cast<int32_t>(kSslKeySize), 0, start + 2, number);
    at_ += number + 1;
  } else {
    rows_.Field(static_cast<int32_t>(kSslKeyBits), 0, start, 2);
  }
  return Error::kNone;
}

// Do `count` digits (1 to 5) and a NUL stand at the cursor?
bool ForwardRequestReader::DigitsFollow(uint32_t count) const {
  if (count < 1 || count > kKeySizeDigitsMax || count >= end_ - at_) return false;
  for (uint32_t i = 0; i < count; i++) {
    if (uint32_t{bytes_.U8(at_ + i)} - '0' > 9) return false;
  }
  return bytes_.U8(at_ + count) == 0;
}

}  // namespace postern

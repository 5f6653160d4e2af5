// One name-value pair after the other, each length judged as soon as it is known (FastCGI
// specification §3.4). It keeps no bytes and makes no strings. A length below 128 is one byte, else
// four with the top bit set. Twin: src/protocols/fastcgi/params.ts.
#include "fastcgi_params.h"

#include "field_names.h"

namespace postern {
namespace {

constexpr uint32_t kContentLength = FieldId("CONTENT_LENGTH");

// Reads a length of one or four bytes at `at` and moves past it. Precondition: at < end <=
// bytes.size(). Returns false when it is not whole.
inline bool ReadLength(BytesView bytes, uint32_t& at, uint32_t end, uint32_t& length) {
  length = bytes.U8(at);
  if (length < 0x80) {
    at += 1;
    return true;
  }
  if (end - at < 4) return false;
  // 31 bits: the top bit only says that there are four bytes.
  length = bytes.U32(at) & 0x7fffffff;
  at += 4;
  return true;
}

}  // namespace

// Reads the two lengths of the pair at `at` and checks them as soon as each is known.
// Precondition: stream_start <= at < end <= bytes.size().
ParamsResult ParamsReader::ReadPair(BytesView bytes, uint32_t at, uint32_t end,
                                    uint32_t stream_start, uint64_t pair_count, Pair& pair) const {
  constexpr ParamsResult kIncomplete{ParamsResult::Kind::kIncomplete, Error::kNone};
  if (pair_count >= field_count_) return ParamsResult::Failure(Error::kLimitFieldCount);
  uint32_t offset = at;
  if (!ReadLength(bytes, offset, end, pair.name_length)) return kIncomplete;
  if (pair.name_length > name_bytes_) return ParamsResult::Failure(Error::kLimitNameBytes);
  if (offset >= end) return kIncomplete;
  if (!ReadLength(bytes, offset, end, pair.value_length)) return kIncomplete;
  if (pair.value_length > value_bytes_) return ParamsResult::Failure(Error::kLimitValueBytes);
  // Two 31-bit lengths: their sum does not fit 32 bits (F17f).
  if (uint64_t{offset - stream_start} + pair.name_length + pair.value_length > head_bytes_) {
    return ParamsResult::Failure(Error::kLimitHeadBytes);
  }
  pair.name = offset;
  return ParamsResult();
}

// The pair at `at`, if it is like nearly all: two lengths of one byte, in bounds, within every
// limit. Anything else is for ReadPair. Precondition: as ReadPair.
inline bool ParamsReader::ReadShortPair(BytesView bytes, uint32_t at, uint32_t end,
                                        uint32_t stream_start, uint64_t pair_count,
                                        Pair& pair) const {
  if (end - at < 2 || pair_count >= field_count_) return false;
  const uint32_t lengths = bytes.U16(at);
  if ((lengths & 0x8080) != 0) return false;
  pair.name = at + 2;
  pair.name_length = lengths >> 8;
  pair.value_length = lengths & 0xff;
  const uint32_t sum = pair.name_length + pair.value_length;
  return sum <= end - pair.name && pair.name_length <= name_bytes_ &&
         pair.value_length <= value_bytes_ &&
         uint64_t{pair.name - stream_start} + sum <= head_bytes_;
}

ErrorNumber ParamsReader::Scan(RequestSlot& slot) const {
  const BytesView bytes = slot.gather.View();
  while (slot.scan_offset < bytes.size()) {
    Pair pair;
    const ParamsResult result = ReadPair(bytes, static_cast<uint32_t>(slot.scan_offset),
                                         bytes.size(), 0, slot.pair_count, pair);
    if (result.kind == ParamsResult::Kind::kError) return result.error;
    if (result.kind == ParamsResult::Kind::kIncomplete) return Error::kNone;
    slot.scan_offset = uint64_t{pair.name} + pair.name_length + pair.value_length;
    slot.pair_count++;
  }
  return Error::kNone;
}

ParamsResult ParamsReader::Write(BytesView bytes, uint32_t start, uint32_t end, RowWriter& rows) {
  const uint32_t first_row = rows.field_count();
  const ParamsResult result = WritePairs(bytes, start, end, rows);
  if (result.kind != ParamsResult::Kind::kWell) rows.RewindFields(first_row);
  return result;
}

ParamsResult ParamsReader::WritePairs(BytesView bytes, uint32_t start, uint32_t end,
                                      RowWriter& rows) {
  constexpr ParamsResult kNoRoom{ParamsResult::Kind::kNoRoom, Error::kNone};
  if (!rows.HasRoom(0, 1)) return kNoRoom;
  rows.Field(static_cast<int32_t>(start), end - start, 0, 0);
  content_length_.Clear();
  uint32_t at = start;
  uint64_t pair_count = 0;
  while (at < end) {
    Pair pair;
    if (!ReadShortPair(bytes, at, end, start, pair_count, pair)) {
      const ParamsResult result = ReadPair(bytes, at, end, start, pair_count, pair);
      if (result.kind == ParamsResult::Kind::kError) return result;
      if (result.kind == ParamsResult::Kind::kIncomplete ||
          uint64_t{pair.name_length} + pair.value_length > end - pair.name) {
        return ParamsResult::Failure(Error::kFcgiParams);
      }
    }
    const uint32_t value = pair.name + pair.name_length;
    pair_count++;
    at = value + pair.value_length;
    // A pair without a name is counted and dropped (F17g).
    if (pair.name_length == 0) continue;
    if (!rows.HasRoom(0, 1)) return kNoRoom;
    const uint32_t id = LookupFieldName(bytes, pair.name, pair.name_length);
    const int32_t name = static_cast<int32_t>(id > 0 ? id : 0 - pair.name);
    rows.Field(name, pair.name_length, value, pair.value_length);
    if (id == kContentLength) content_length_.Add(bytes, value, pair.value_length);
  }
  return ParamsResult();
}

}  // namespace postern

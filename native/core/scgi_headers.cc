// Pair by pair: count, name, value (SCGI protocol document), then the rules that only strict mode
// asks for. It makes no strings. Only strict mode takes memory: 8 bytes a name, to find one that is
// there twice. Twin: src/protocols/scgi/headers.ts.
#include "scgi_headers.h"

#include <algorithm>
#include <vector>

#include "field_names.h"

namespace postern {
namespace {

constexpr uint32_t kContentLength = FieldId("CONTENT_LENGTH");
constexpr uint32_t kScgi = FieldId("SCGI");
constexpr uint32_t kHttpUpgrade = FieldId("HTTP_UPGRADE");

// Is a name there twice? Only strict mode asks, of a block that is well-formed.
// Precondition: [start, end) are pairs of NUL-terminated strings.
bool HasNameTwice(BytesView bytes, uint32_t start, uint32_t end) {
  struct Name {
    uint32_t start;
    uint32_t length;
  };
  std::vector<Name> names;
  uint32_t at = start;
  while (at < end) {
    const uint32_t name_end = bytes.FindNul(at, end);
    names.push_back({at, name_end - at});
    at = bytes.FindNul(name_end + 1, end) + 1;
  }
  const auto compare = [&bytes](const Name& a, const Name& b) {
    return bytes.Compare(a.start, a.length, b.start, b.length);
  };
  std::sort(names.begin(), names.end(),
            [&](const Name& a, const Name& b) { return compare(a, b) < 0; });
  const auto twice = std::adjacent_find(
      names.begin(), names.end(), [&](const Name& a, const Name& b) { return compare(a, b) == 0; });
  return twice != names.end();
}

}  // namespace

HeaderReader::HeaderReader(const RowWriter& rows, const DecoderOptions& options)
    : field_count_(std::min<uint64_t>(options.field_count, rows.field_limit())),
      name_bytes_(options.name_bytes),
      value_bytes_(options.value_bytes),
      strict_(options.scgi_strict) {}

ErrorNumber HeaderReader::Write(BytesView bytes, uint32_t start, uint32_t end, RowWriter& rows) {
  rows.Field(static_cast<int32_t>(start), end - start, 0, 0);
  content_length_.Clear();
  asks_upgrade_ = false;
  bool is_first = true;
  bool content_length_first = false;
  bool scgi_one = false;
  uint32_t at = start;
  uint64_t count = 0;
  while (at < end) {
    if (count >= field_count_) return Error::kLimitFieldCount;
    count++;
    const uint32_t name_end = bytes.FindNul(at, end);
    if (name_end == end || name_end == at) return Error::kScgiHeaders;
    const uint32_t name_length = name_end - at;
    if (name_length > name_bytes_) return Error::kLimitNameBytes;
    const uint32_t value = name_end + 1;  // At most `end`: name_end < end.
    const uint32_t value_end = bytes.FindNul(value, end);
    if (value_end == end) return Error::kScgiHeaders;
    const uint32_t value_length = value_end - value;
    if (value_length > value_bytes_) return Error::kLimitValueBytes;
    const uint32_t id = LookupFieldName(bytes, at, name_length);
    rows.Field(static_cast<int32_t>(id > 0 ? id : 0 - at), name_length, value, value_length);
    if (id == kContentLength) {
      content_length_.Add(bytes, value, value_length);
      if (is_first) content_length_first = true;
    } else if (id == kHttpUpgrade) {
      if (value_length > 0) asks_upgrade_ = true;
    } else if (id == kScgi) {
      scgi_one = value_length == 1 && bytes.U8(value) == '1';
    }
    is_first = false;
    at = value_end + 1;
  }
  breaks_strict_rules_ =
      strict_ && !(content_length_first && scgi_one && !HasNameTwice(bytes, start, end));
  return Error::kNone;
}

}  // namespace postern

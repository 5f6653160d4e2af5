// Bytes of a name → its id, by a table made while compiling.
// No string is made and nothing is written at run time; upper and lower case are different names
// here. Twin: src/http/field-names.ts — same hash to the digit.
#include "field_names.h"

#include <array>

namespace postern {
namespace {

constexpr uint32_t kBuckets = 512;

// Hash of a name by its length and three of its bytes.
constexpr uint32_t Hash(uint32_t length, uint32_t quarter, uint32_t middle, uint32_t last) {
  return (length * 37 + quarter * 11 + middle * 101 + last * 7) & (kBuckets - 1);
}

struct Table {
  std::array<uint16_t, kBuckets> first{};
  std::array<uint16_t, kFieldNameCount> next{};
};

constexpr uint32_t At(std::string_view name, uint32_t index) {
  return static_cast<uint8_t>(name[index]);
}

constexpr Table MakeTable() {
  Table table;
  for (uint32_t id = kAjpFieldBase - 1; id > 0; id--) {
    const std::string_view name = kFieldNames[id];
    const uint32_t n = static_cast<uint32_t>(name.size());
    const uint32_t bucket = Hash(n, At(name, n >> 2), At(name, n >> 1), At(name, n - 1));
    table.next[id] = table.first[bucket];
    table.first[bucket] = static_cast<uint16_t>(id);
  }
  return table;
}

constexpr Table kTable = MakeTable();

}  // namespace

uint32_t LookupFieldName(BytesView bytes, uint32_t start, uint32_t length) {
  if (length == 0) return 0;
  const uint32_t bucket = Hash(length, bytes.U8(start + (length >> 2)),
                               bytes.U8(start + (length >> 1)), bytes.U8(start + length - 1));
  for (uint32_t id = kTable.first[bucket]; id != 0; id = kTable.next[id]) {
    const std::string_view name = kFieldNames[id];
    if (name.size() == length && bytes.Equals(start, name.data(), length)) return id;
  }
  return 0;
}

}  // namespace postern

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

constexpr uint32_t LongestName() {
  size_t longest = 0;
  for (uint32_t id = 1; id < kAjpFieldBase; id++) {
    if (kFieldNames[id].size() > longest) longest = kFieldNames[id].size();
  }
  return static_cast<uint32_t>(longest);
}

constexpr uint32_t kNameBytesMax = LongestName();

// A name beside its length and the next one of its bucket, so that a lookup touches one line of the
// cache, and no pointer.
struct Entry {
  uint16_t next = 0;
  uint16_t length = 0;
  char name[kNameBytesMax] = {};
};

struct Table {
  std::array<uint16_t, kBuckets> first{};
  std::array<Entry, kAjpFieldBase> entries{};
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
    Entry& entry = table.entries[id];
    entry.next = table.first[bucket];
    entry.length = static_cast<uint16_t>(n);
    for (uint32_t i = 0; i < n; i++) entry.name[i] = name[i];
    table.first[bucket] = static_cast<uint16_t>(id);
  }
  return table;
}

constexpr Table kTable = MakeTable();

}  // namespace

uint32_t LookupFieldName(BytesView bytes, uint32_t start, uint32_t length) {
  if (length == 0 || length > kNameBytesMax) return 0;
  const uint8_t* name = bytes.Range(start, length);
  // SAFETY: all three are below `length`.
  const uint32_t bucket = Hash(length, name[length >> 2], name[length >> 1], name[length - 1]);
  for (uint32_t id = kTable.first[bucket]; id != 0; id = kTable.entries[id].next) {
    const Entry& entry = kTable.entries[id];
    if (entry.length == length && SameName(name, entry.name, length)) return id;
  }
  return 0;
}

}  // namespace postern

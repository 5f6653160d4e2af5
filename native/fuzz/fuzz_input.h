// Bytes of a fuzzer → what happens on one connection: options, reads, and notes at offsets.
//
//   ┌─────────┬──────┬───────┬──────────────────────────────────────────┬────────┐
//   │ options │ cuts │ notes │ offset u16 · event u8 · id u8, for a note │ stream │
//   │ u8      │ u8   │ u8    │                                          │        │
//   └─────────┴──────┴───────┴──────────────────────────────────────────┴────────┘
//
// Every input means something, so that none is wasted. Twin: test/support/fuzz-inputs.ts
// (reliability §3.1).
#ifndef POSTERN_FUZZ_INPUT_H_
#define POSTERN_FUZZ_INPUT_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "decoder.h"

namespace postern::fuzz {

// Memory of the decoders under test: small, so that it fills up.
constexpr uint32_t kHeadBytes = 4'096;
constexpr uint32_t kFieldCount = 64;
constexpr uint32_t kStreamBytesMax = 65'535;
constexpr size_t kNotesMax = 160;

// Something that we tell the decoder once `offset` bytes have come.
struct TimedNote {
  uint32_t offset = 0;
  uint32_t event = 0;
  uint32_t id = 0;
};

// Limits by the lower three bits of the first byte.
struct Preset {
  uint64_t head_bytes;
  uint64_t field_count;
  uint64_t name_bytes;
  uint64_t value_bytes;
  uint64_t body_bytes;
  uint64_t head_records;
  uint64_t ajp_packet_bytes;
};

constexpr std::array<Preset, 8> kPresets = {{
    {4'096, 64, 1'024, 4'096, 1'073'741'824, 10'000, 8'192},
    {4'096, 64, 1'024, 4'096, 1'073'741'824, 10'000, 65'536},
    {60, 64, 1'024, 4'096, 1'073'741'824, 10'000, 8'192},
    {200, 8, 16, 130, 300, 3, 8'192},
    {4'096, 2, 1'024, 3, 9, 10'000, 8'192},
    {4'096, 64, 4, 4'096, 0, 1, 8'192},
    {kNoLimit, kNoLimit, kNoLimit, kNoLimit, kNoLimit, kNoLimit, 65'536},
    {4'096, 64, 1'024, 130, 17, 10'000, 8'192},
}};

struct FuzzInput {
  static constexpr uint32_t kPresetBits = 0x07;
  static constexpr uint32_t kManyRequests = 0x08;
  static constexpr uint32_t kTwoRequests = 0x10;
  static constexpr uint32_t kRawBody = 0x20;
  static constexpr uint32_t kStrict = 0x40;
  // Event tables of eight rows, the fewest that a decoder may be given.
  static constexpr uint32_t kFewRows = 0x80;
  static constexpr size_t kHeaderBytes = 3;
  static constexpr size_t kNoteBytes = 4;

  DecoderOptions options;
  bool few_rows = false;
  // 0: one read, but for notes; 1: byte by byte; else the seed of random cuts.
  uint32_t cuts = 0;
  std::array<TimedNote, kNotesMax> notes;
  size_t note_count = 0;
  const uint8_t* stream = nullptr;
  uint32_t stream_bytes = 0;

  // Reads `size` bytes at `data`, which are borrowed. Returns false when they are too few.
  bool Read(const uint8_t* data, size_t size) {
    if (size < kHeaderBytes) return false;
    TakeOptions(data[0]);
    cuts = data[1];
    note_count = std::min({size_t{data[2]}, kNotesMax, (size - kHeaderBytes) / kNoteBytes});
    const uint8_t* at = data + kHeaderBytes;
    for (size_t i = 0; i < note_count; i++, at += kNoteBytes) {
      const uint32_t offset = static_cast<uint32_t>(at[0] | (at[1] << 8));
      notes[i] = {offset, at[2] % 3u + 1, at[3] == 0xff ? 65'535u : at[3]};
    }
    SortNotes();
    stream = at;
    stream_bytes = static_cast<uint32_t>(
        std::min<size_t>(size - static_cast<size_t>(at - data), kStreamBytesMax));
    return true;
  }

 private:
  // By offset, those of one offset in their order. Without memory: what decoders take is counted.
  void SortNotes() {
    for (size_t i = 1; i < note_count; i++) {
      const TimedNote note = notes[i];
      size_t at = i;
      for (; at > 0 && notes[at - 1].offset > note.offset; at--) notes[at] = notes[at - 1];
      notes[at] = note;
    }
  }

  void TakeOptions(uint32_t bits) {
    const Preset& preset = kPresets[bits & kPresetBits];
    options.head_bytes = preset.head_bytes;
    options.field_count = preset.field_count;
    options.name_bytes = preset.name_bytes;
    options.value_bytes = preset.value_bytes;
    options.body_bytes = preset.body_bytes;
    options.head_records = preset.head_records;
    options.ajp_packet_bytes = preset.ajp_packet_bytes;
    options.requests_per_connection =
        (bits & kManyRequests) != 0 ? 100 : ((bits & kTwoRequests) != 0 ? 2 : 1);
    options.ajp_raw_body = (bits & kRawBody) != 0;
    options.scgi_strict = (bits & kStrict) != 0;
    few_rows = (bits & kFewRows) != 0;
  }
};

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_INPUT_H_

// Vectors on standard input → each one decoded whole, byte by byte and at every split, its bytes
// ending at an unreadable page, then beginning at one. It holds no expected rows
// (test/engine/vectors.test.ts does); it demands that rows are sane, the same for every split, and
// that nothing outside of [start, end) is touched.
// // `guard_page_test --canary` reads one byte too far and must die.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "ajp_decoder.h"
#include "fastcgi_decoder.h"
#include "guard_arena.h"
#include "scgi_decoder.h"
#include "vector_file.h"

namespace postern::test {
namespace {

// As src/wire/ring.ts: margin and read area.
constexpr uint32_t kReadBytes = 65'536;
constexpr uint32_t kAreaBytes = 67'584 + kReadBytes;
constexpr uint32_t kHeadBytes = 131'072;
constexpr uint32_t kFieldRows = 1'032;
// Vectors longer than this are not split everywhere: near both ends and at every kStride-th byte.
constexpr size_t kSplitEverywhere = 8'192;
constexpr size_t kEnds = 512;
constexpr size_t kStride = 1'499;

// Where the bytes of a call lie: with the unreadable page after or before them.
enum class Place { kBeforeGuard, kAfterGuard };

[[noreturn]] void Fail(const Vector& vector, const std::string& mode, const std::string& what) {
  std::fprintf(stderr, "%s, %s: %s\n", vector.name.c_str(), mode.c_str(), what.c_str());
  std::exit(1);
}

// All memory of one decoder, each piece ending at an unreadable page.
struct Arena {
  GuardedRing ring{kAreaBytes, kHeadBytes};
  GuardedPages events{kEventRows * kEventWidth * sizeof(int32_t)};
  GuardedPages fields{kFieldRows * kFieldWidth * sizeof(int32_t)};
  GuardedPages state{kStateCells * sizeof(int32_t)};

  static int32_t* Last(const GuardedPages& pages, size_t cells) {
    return reinterpret_cast<int32_t*>(pages.end()) - cells;
  }
  int32_t* event_cells() { return Last(events, kEventRows * kEventWidth); }
  int32_t* field_cells() { return Last(fields, kFieldRows * kFieldWidth); }
  int32_t* state_cells() { return Last(state, kStateCells); }

  RowWriter rows{CellsView(event_cells(), kEventRows* kEventWidth),
                 CellsView(field_cells(), kFieldRows* kFieldWidth),
                 CellsView(state_cells(), kStateCells)};

  std::unique_ptr<Decoder> Make(const Vector& vector) {
    const Ring memory{BytesView(ring.base(), ring.head_end()), ring.head_start(), ring.head_end()};
    switch (vector.protocol) {
      case ProtocolNumber::kFastcgi:
        return std::make_unique<FastcgiDecoder>(memory, rows, vector.options);
      case ProtocolNumber::kScgi:
        return std::make_unique<ScgiDecoder>(memory, rows, vector.options);
      case ProtocolNumber::kAjp:
        return std::make_unique<AjpDecoder>(memory, rows, vector.options);
      default:
        Fail(vector, "making", "unknown protocol");
    }
  }
};

// One vector fed to one decoder in one way; `digest` is what happened, without how BODY was cut.
class Run {
 public:
  Run(Arena& arena, const Vector& vector, std::string mode, Place place)
      : arena_(arena),
        vector_(vector),
        mode_(std::move(mode)),
        place_(place),
        decoder_(arena.Make(vector)) {}

  // Gives the decoder what one read brought, after what it left of the last one.
  void Read(const uint8_t* bytes, size_t length) {
    pending_.insert(pending_.end(), bytes, bytes + length);
    if (pending_.size() > kAreaBytes) Fail(vector_, mode_, "left more than a frame");
    const GuardedRing& ring = arena_.ring;
    const uint32_t size = static_cast<uint32_t>(pending_.size());
    uint32_t start = place_ == Place::kBeforeGuard ? ring.read_end() - size : ring.read_start();
    const uint32_t end = start + size;
    if (size > 0) std::memcpy(ring.base() + start, pending_.data(), size);
    bool more = true;
    while (more) {
      arena_.rows.Begin();
      const uint32_t rows = decoder_->Decode(start, end);
      const uint32_t consumed = static_cast<uint32_t>(arena_.state_cells()[StateCell::kConsumed]);
      more = arena_.state_cells()[StateCell::kMore] != 0;
      if (rows > kEventRows) Fail(vector_, mode_, "more rows than the table has");
      if (consumed < start || consumed > end) Fail(vector_, mode_, "consumed is out of bounds");
      if (more && rows == 0 && consumed == start) Fail(vector_, mode_, "wants more of nothing");
      for (uint32_t row = 0; row < rows; row++) Take(row, start, end);
      start = consumed;
    }
    pending_.erase(pending_.begin(), pending_.end() - (end - start));
  }

  // Tells the decoder what we did; bytes it has left are given to it again.
  void NoteEvent(uint32_t event, uint32_t id) {
    decoder_->NoteEvent(event, id);
    if (!pending_.empty()) Read(nullptr, 0);
  }

  const std::string& digest() const { return digest_; }

 private:
  // Checks one event row and adds it to the digest.
  void Take(uint32_t row, uint32_t start, uint32_t end) {
    const int32_t* event = arena_.event_cells() + row * kEventWidth;
    const int32_t kind = event[EventColumn::kKind];
    const uint32_t at = static_cast<uint32_t>(event[EventColumn::kStart]);
    const uint32_t length = static_cast<uint32_t>(event[EventColumn::kLength]);
    if (kind < RowKind::kBegin || kind > RowKind::kError) Fail(vector_, mode_, "unknown row kind");
    if (event[EventColumn::kConnection] != 0) Fail(vector_, mode_, "connection is not 0");
    const bool is_bulk = kind == RowKind::kBody || kind == RowKind::kData;
    if (is_bulk && length == 0) Fail(vector_, mode_, "an empty piece of body");
    if ((is_bulk || (kind == RowKind::kControl && length > 0)) &&
        (at < start || at > end || length > end - at)) {
      Fail(vector_, mode_, "a row's bytes lie outside of what was read");
    }
    const std::string id = std::to_string(event[EventColumn::kExchangeId]);
    if (is_bulk) {
      // Pieces of one body are joined, however they were cut.
      const std::string label = "\n" + std::to_string(kind) + " " + id + " bulk ";
      if (label != bulk_) digest_ += label;
      bulk_ = label;
      digest_.append(reinterpret_cast<const char*>(arena_.ring.base()) + at, length);
      return;
    }
    bulk_.clear();
    digest_ +=
        "\n" + std::to_string(kind) + " " + id + " " + std::to_string(event[EventColumn::kDetail]);
    if (kind == RowKind::kHead) TakeHead(at, length, start, end);
  }

  // Checks the field rows of a head and adds names and values to the digest.
  void TakeHead(uint32_t first, uint32_t count, uint32_t start, uint32_t end) {
    if (count < 1 || first > kFieldRows || count > kFieldRows - first) {
      Fail(vector_, mode_, "field rows outside of the table");
    }
    const int32_t* head = arena_.field_cells() + first * kFieldWidth;
    const uint32_t from = static_cast<uint32_t>(head[HeadColumn::kBytesStart]);
    const uint32_t size = static_cast<uint32_t>(head[HeadColumn::kBytesLength]);
    const GuardedRing& ring = arena_.ring;
    const bool in_place = from >= start && from <= end && size <= end - from;
    const bool gathered =
        from >= ring.head_start() && from <= ring.head_end() && size <= ring.head_end() - from;
    if (!in_place && !gathered) Fail(vector_, mode_, "a head's bytes lie where none may");
    digest_ += " " + std::to_string(head[HeadColumn::kMetaA]) + " " +
               std::to_string(head[HeadColumn::kMetaB]);
    for (uint32_t row = 1; row < count; row++) {
      const int32_t* field = head + row * kFieldWidth;
      if (field[0] > 0) {
        digest_ += "\n  #" + std::to_string(field[0]);
      } else {
        digest_ += "\n  " + Text(-static_cast<int64_t>(field[0]), field[1], from, size);
      }
      digest_ += "=" + Text(field[2], field[3], from, size);
    }
  }

  // A name or value as text. A length of 0 may stand anywhere.
  std::string Text(int64_t at, int64_t length, uint32_t from, uint32_t size) {
    if (length == 0) return "";
    if (length < 0 || at < from || length > int64_t{size} || at - from > size - length) {
      Fail(vector_, mode_, "a field lies outside of its head");
    }
    return std::string(reinterpret_cast<const char*>(arena_.ring.base()) + at,
                       static_cast<size_t>(length));
  }

  Arena& arena_;
  const Vector& vector_;
  std::string mode_;
  Place place_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<uint8_t> pending_;
  std::string digest_;
  std::string bulk_;
};

// Feeds a whole vector in pieces of `piece` bytes; the step `split_step` is cut once more, after
// `split` bytes.
std::string Feed(Arena& arena, const Vector& vector, const std::string& mode, Place place,
                 size_t piece, size_t split_step = SIZE_MAX, size_t split = 0) {
  Run run(arena, vector, mode, place);
  for (size_t i = 0; i < vector.steps.size(); i++) {
    const Step& step = vector.steps[i];
    if (step.event != 0) {
      run.NoteEvent(step.event, step.exchange_id);
      continue;
    }
    size_t at = 0;
    while (at < step.bytes.size()) {
      size_t length = std::min(piece, step.bytes.size() - at);
      if (i == split_step && at < split) length = std::min(length, split - at);
      run.Read(step.bytes.data() + at, length);
      at += length;
    }
  }
  return run.digest();
}

// Every way of feeding one vector; all must give the same digest. Returns how many there were.
size_t TestVector(Arena& arena, const Vector& vector) {
  size_t runs = 0;
  const std::string whole = Feed(arena, vector, "whole", Place::kBeforeGuard, kReadBytes);
  const auto check = [&](const std::string& mode, const std::string& digest) {
    if (digest != whole) Fail(vector, mode, "rows differ from those of the whole");
    runs++;
  };
  for (const Place place : {Place::kBeforeGuard, Place::kAfterGuard}) {
    const std::string where = place == Place::kBeforeGuard ? " before a guard" : " after a guard";
    check("whole" + where, Feed(arena, vector, "whole" + where, place, kReadBytes));
    check("by bytes" + where, Feed(arena, vector, "by bytes" + where, place, 1));
    for (size_t step = 0; step < vector.steps.size(); step++) {
      const size_t size = vector.steps[step].bytes.size();
      for (size_t split = 1; split < size; split++) {
        const bool wanted = size <= kSplitEverywhere || split < kEnds || size - split < kEnds ||
                            split % kStride == 0;
        if (!wanted) continue;
        const std::string mode =
            "step " + std::to_string(step) + " split at " + std::to_string(split) + where;
        check(mode, Feed(arena, vector, mode, place, kReadBytes, step, split));
      }
    }
  }
  return runs;
}

int TestAll(std::istream& input) {
  Arena arena;
  Vector vector;
  size_t vectors = 0;
  size_t runs = 0;
  while (ReadVector(input, vector)) {
    runs += TestVector(arena, vector);
    vectors++;
  }
  std::printf("%zu vectors, %zu runs\n", vectors, runs);
  return vectors > 0 ? 0 : 1;
}

// Proves that the guard works: reads the byte after the read area.
int ReadTooFar() {
  const Arena arena;
  const volatile uint8_t* byte = arena.ring.base() + arena.ring.read_end();
  std::printf("read %d\n", int{*byte});
  return 0;
}

}  // namespace
}  // namespace postern::test

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--canary") == 0) return postern::test::ReadTooFar();
  return postern::test::TestAll(std::cin);
}

// Reads, decode calls, rows: as the connection of a server plays them, with nothing behind it.
// What is promised of a row stands in src/wire/abi.ts.
#include "decoder_run.h"

#include <algorithm>
#include <string_view>

#include "field_names.h"
#include "memory_count.h"
#include "step_count.h"

namespace postern::fuzz {
namespace {

constexpr int32_t kContentLengthId = static_cast<int32_t>(FieldId("CONTENT_LENGTH"));
// Basic blocks that a byte, a decode call and an input may cost (reliability §3.1: 64 a byte).
constexpr uint64_t kStepsPerByte = 64;
constexpr uint64_t kStepsPerCall = 64;
constexpr uint64_t kStepsPerInput = 4'096;
// Memory that a byte, a request and an input may cost: a request that is gathered begins with 2
// KiB.
constexpr uint64_t kMemoryPerByte = 4;
constexpr uint64_t kMemoryPerRequest = 2'048 + 256;
constexpr uint64_t kMemoryPerInput = 4'096;
// Longer inputs that ask for single bytes get short reads.
constexpr uint32_t kByteByByteMax = 256;
constexpr uint64_t kHashPrime = 0x9e37'79b9'7f4a'7c15;

bool IsContentLength(std::string_view name) {
  constexpr std::string_view kName = "content-length";
  return std::equal(name.begin(), name.end(), kName.begin(), kName.end(), [](char one, char other) {
    return (one >= 'A' && one <= 'Z' ? one + 32 : one) == other;
  });
}

// The number that digits say; −1 for what is none.
int64_t ReadDigits(std::string_view digits) {
  int64_t number = digits.empty() || digits.size() > 16 ? -1 : 0;
  for (const char digit : digits) {
    if (number < 0 || digit < '0' || digit > '9') return -1;
    number = number * 10 + (digit - '0');
  }
  return number;
}

std::unique_ptr<Decoder> MakeDecoder(uint32_t protocol, const Ring& ring, RowWriter& rows,
                                     const DecoderOptions& options) {
  if (protocol == ProtocolNumber::kFastcgi) {
    return std::make_unique<FastcgiDecoder>(ring, rows, options);
  }
  if (protocol == ProtocolNumber::kScgi) return std::make_unique<ScgiDecoder>(ring, rows, options);
  return std::make_unique<AjpDecoder>(ring, rows, options);
}

}  // namespace

DecoderRun::DecoderRun(uint32_t protocol)
    : protocol_(protocol),
      events_(new int32_t[kEventRows * kEventWidth]),
      fields_(new int32_t[kFieldRows * kFieldWidth]) {
  CountMemory();
}

void DecoderRun::Test(const FuzzInput& input) {
  const uint64_t whole = Play(input, 0);
  if (input.cuts == 0) return;
  Promise(Play(input, input.cuts) == whole, "other rows than of the whole for another cut (P-1)");
}

uint64_t DecoderRun::Play(const FuzzInput& input, uint32_t cuts) {
  Open(input);
  uint32_t at = 0;
  uint32_t random = cuts * 2'654'435'761u;
  for (size_t n = 0; n <= input.note_count; n++) {
    const bool is_last = n == input.note_count;
    const uint32_t to =
        is_last ? input.stream_bytes : std::min(input.notes[n].offset, input.stream_bytes);
    while (at < to) {
      uint32_t count = to - at;
      if (cuts == 1 && input.stream_bytes <= kByteByByteMax) {
        count = 1;
      } else if (cuts > 0) {
        random = random * 1'664'525u + 1'013'904'223u;
        // Short reads and long ones.
        const uint32_t longest = (random >> 28) < 8 ? 12 : 600;
        count = std::min(count, 1 + (random >> 8) % longest);
      }
      Receive(input.stream + at, count);
      at += count;
    }
    if (!is_last) Tell(input.notes[n]);
  }
  CheckCost(input);
  decoder_.reset();
  return digest_;
}

void DecoderRun::Open(const FuzzInput& input) {
  options_ = input.options;
  ring_.Clear();
  rules_.Clear(protocol_, options_.requests_per_connection);
  const uint32_t event_rows = input.few_rows ? kEventRowsMin : kEventRows;
  rows_ = RowWriter(CellsView(events_.get(), size_t{event_rows} * kEventWidth),
                    CellsView(fields_.get(), size_t{kFieldRows} * kFieldWidth),
                    CellsView(state_.data(), kStateCells));
  digest_ = kHashPrime;
  bulk_ = 0;
  begun_ = 0;
  calls_ = 0;
  BeginMemory();
  BeginSteps();
  decoder_ = MakeDecoder(protocol_, ring_.View(), rows_, options_);
}

void DecoderRun::Receive(const uint8_t* bytes, uint32_t count) {
  ring_.Add(bytes, count);
  Decode();
}

// Gives the decoder what is there, until it wants no more.
void DecoderRun::Decode() {
  bool more = true;
  while (more) {
    const uint32_t start = ring_.start();
    const uint32_t end = ring_.end();
    rows_.Begin();
    const uint32_t count = decoder_->Decode(start, end);
    calls_++;
    const uint32_t consumed = static_cast<uint32_t>(state_[StateCell::kConsumed]);
    more = state_[StateCell::kMore] != 0;
    Promise(count == rows_.event_count(), "another number of rows than was written");
    Promise(consumed >= start && consumed <= end, "consumed what it was not given");
    Promise(!more || count > 0 || consumed > start, "wants more of nothing");
    for (uint32_t row = 0; row < count; row++) TakeRow(row, start, end);
    const bool is_resting = decoder_->IsResting();
    Promise(!is_resting || rules_.active() == 0 || protocol_ == ProtocolNumber::kScgi,
            "resting within a request");
    if (decoder_->IsQuiet()) Promise(more || rules_.active() == 0, "quiet within a request");
    ring_.Consume(consumed);
  }
}

void DecoderRun::Tell(const TimedNote& note) {
  decoder_->NoteEvent(note.event, note.id);
  rules_.Note(note.event, note.id);
  bulk_ = 0;
  if (ring_.end() > ring_.start()) Decode();
}

void DecoderRun::TakeRow(uint32_t row, uint32_t start, uint32_t end) {
  const int32_t* event = events_.get() + size_t{row} * kEventWidth;
  const int32_t kind = event[EventColumn::kKind];
  const uint32_t id = static_cast<uint32_t>(event[EventColumn::kExchangeId]);
  const uint32_t at = static_cast<uint32_t>(event[EventColumn::kStart]);
  const uint32_t length = static_cast<uint32_t>(event[EventColumn::kLength]);
  const uint32_t detail = static_cast<uint32_t>(event[EventColumn::kDetail]);
  Promise(event[EventColumn::kConnection] == 0, "the row of another connection");
  const bool is_bulk = kind == RowKind::kBody || kind == RowKind::kData;
  if (is_bulk || (kind == RowKind::kControl && length > 0)) {
    Promise(at >= start && at <= end && length <= end - at, "bytes of a row that were not read");
  }
  if (is_bulk) return TakeBulk(kind, id, at, length);
  bulk_ = 0;
  Mix(static_cast<uint64_t>(kind) << 56 | uint64_t{id} << 32 | detail);
  switch (kind) {
    case RowKind::kBegin:
      begun_++;
      return rules_.Begin(id);
    case RowKind::kHead:
      return TakeHead(id, at, length, detail, start, end);
    case RowKind::kBodyEnd:
      return rules_.BodyEnd(id, detail);
    case RowKind::kDataEnd:
      return rules_.Data(id);
    case RowKind::kAbort:
      return rules_.Abort(id);
    case RowKind::kControl:
      Promise(id == 0, "CONTROL of a request");
      if (length > 0) MixBytes(at, length);
      return rules_.Control();
    case RowKind::kError:
      return rules_.ErrorRow(id, detail);
    default:
      Finding("a row of no kind");
  }
}

// Pieces of one body are one, however they were cut.
void DecoderRun::TakeBulk(int32_t kind, uint32_t id, uint32_t at, uint32_t length) {
  if (kind == RowKind::kBody) {
    rules_.Body(id, length);
  } else {
    rules_.Data(id);
  }
  const uint64_t label = static_cast<uint64_t>(kind) << 56 | uint64_t{id} << 32 | 1;
  if (label != bulk_) Mix(label);
  bulk_ = label;
  MixBytes(at, length);
}

void DecoderRun::TakeHead(uint32_t id, uint32_t first, uint32_t count, uint32_t kind,
                          uint32_t start, uint32_t end) {
  Promise(count >= 1 && first <= kFieldRows && count <= kFieldRows - first,
          "field rows outside of the table");
  const int32_t* head = fields_.get() + size_t{first} * kFieldWidth;
  const uint32_t from = static_cast<uint32_t>(head[HeadColumn::kBytesStart]);
  const uint32_t size = static_cast<uint32_t>(head[HeadColumn::kBytesLength]);
  const Ring ring = ring_.View();
  const bool in_place = from >= start && from <= end && size <= end - from;
  const bool gathered =
      from >= ring.read_end && from <= ring.head_end && size <= ring.head_end - from;
  Promise(in_place || gathered, "a head whose bytes lie where none may");
  const bool has_limit = protocol_ != ProtocolNumber::kAjp;
  Promise(!has_limit || size <= options_.head_bytes, "a head over limits.headBytes");
  const uint32_t fixed = has_limit ? 0 : 5;
  Promise(count - 1 <= fixed + options_.field_count || options_.field_count == kNoLimit,
          "more fields than limits.fieldCount");
  Mix(static_cast<uint64_t>(static_cast<uint32_t>(head[HeadColumn::kMetaA])) << 32 |
      static_cast<uint32_t>(head[HeadColumn::kMetaB]));
  int64_t declared = -1;
  for (uint32_t row = 1; row < count; row++) {
    const int64_t length = TakeField(head + size_t{row} * kFieldWidth, from, size);
    if (length >= 0) declared = length;
  }
  Promise(kind != BodyKind::kKnown || declared > 0, "a known length that no field says");
  rules_.Head(id, kind, declared);
}

// Returns the length that the field declares, or −1.
int64_t DecoderRun::TakeField(const int32_t* field, uint32_t from, uint32_t size) {
  const auto text = [&](int64_t at, int64_t length, uint64_t longest) -> std::string_view {
    if (length == 0) return "";
    Promise(length > 0 && at >= from && length <= int64_t{size} && at - from <= size - length,
            "a field outside of its head");
    Promise(static_cast<uint64_t>(length) <= longest, "a field over its limit");
    MixBytes(static_cast<uint32_t>(at), static_cast<uint32_t>(length));
    const uint8_t* bytes = ring_.At(static_cast<uint32_t>(at));
    return {reinterpret_cast<const char*>(bytes), static_cast<size_t>(length)};
  };
  const int32_t id = field[0];
  Mix(id > 0 ? static_cast<uint64_t>(id) : 0);
  bool is_length = id == kContentLengthId;
  if (id <= 0) {
    Promise(field[1] > 0, "a name of no bytes");
    is_length = IsContentLength(text(-int64_t{id}, field[1], options_.name_bytes)) &&
                protocol_ == ProtocolNumber::kAjp;
  } else {
    Promise(static_cast<uint32_t>(id) < kFieldNameCount, "a name of no id");
  }
  Mix(static_cast<uint64_t>(field[3]));
  const std::string_view value = text(field[2], field[3], options_.value_bytes);
  return is_length ? ReadDigits(value) : -1;
}

void DecoderRun::CheckCost(const FuzzInput& input) {
  const uint64_t bytes = uint64_t{input.stream_bytes} + input.note_count;
  Promise(Steps() <= kStepsPerByte * bytes + kStepsPerCall * calls_ + kStepsPerInput,
          "more work than 64 steps a byte");
  Promise(MemoryPeak() <= kMemoryPerByte * bytes + kMemoryPerRequest * begun_ + kMemoryPerInput,
          "more memory than four times the input");
}

void DecoderRun::Mix(uint64_t number) {
  digest_ = (digest_ ^ number) * kHashPrime;
  digest_ ^= digest_ >> 29;
}

void DecoderRun::MixBytes(uint32_t at, uint32_t length) {
  const uint8_t* bytes = ring_.At(at);
  for (uint32_t i = 0; i < length; i++) Mix(bytes[i]);
}

}  // namespace postern::fuzz

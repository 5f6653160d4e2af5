// JavaScript's words → a core decoder's words, each one checked before it is used.
// Pointers are taken once, in the constructor; every later call asks whether the memory is still
// there. Twin of what it serves: src/engine/native.ts, which hands in ring and tables.
#include "js_decoder.h"

#include <cstdint>
#include <optional>

#include "ajp_decoder.h"
#include "fastcgi_decoder.h"
#include "scgi_decoder.h"

namespace postern {
namespace {

// Order of the constructor's arguments.
enum Argument : size_t { kProtocol, kRing, kEvents, kFields, kState, kReadEnd, kHeadEnd, kOptions };

// Event rows that one step of a decoder may need at once; a table below it could stop it for ever.
constexpr size_t kEventRowsMin = 8;

// One typed array as JavaScript handed it in.
struct Memory {
  void* data = nullptr;
  size_t length = 0;
  Napi::ArrayBuffer buffer;
};

// Takes a typed array of `type` over plain memory. Returns nothing when the value is anything else:
// another type, over shared or resizable memory, detached, or shorter than `length_min` elements.
std::optional<Memory> TakeMemory(Napi::Env env, const Napi::Value& value, napi_typedarray_type type,
                                 size_t length_min) {
  if (!value.IsTypedArray()) return std::nullopt;
  napi_typedarray_type actual{};
  Memory memory;
  napi_value buffer = nullptr;
  size_t offset = 0;
  if (napi_get_typedarray_info(env, value, &actual, &memory.length, &memory.data, &buffer,
                               &offset) != napi_ok) {
    return std::nullopt;
  }
  const Napi::Value owner(env, buffer);
  if (actual != type || !owner.IsArrayBuffer() || memory.length < length_min) return std::nullopt;
  memory.buffer = owner.As<Napi::ArrayBuffer>();
  if (memory.data == nullptr || memory.buffer.IsDetached()) return std::nullopt;
  // A resizable buffer may give its pages back while we hold a pointer to them.
  const Napi::Value resizable = memory.buffer.Get("resizable");
  if (!resizable.IsBoolean() || resizable.As<Napi::Boolean>().Value()) return std::nullopt;
  return memory;
}

// A whole number from 0 to `max`, or nothing.
std::optional<uint32_t> TakeNumber(const Napi::Value& value, uint32_t max) {
  if (!value.IsNumber()) return std::nullopt;
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= static_cast<double>(max))) return std::nullopt;
  const uint32_t whole = static_cast<uint32_t>(number);
  if (static_cast<double>(whole) != number) return std::nullopt;
  return whole;
}

// A limit: a whole number, or Infinity. Everything from 2^63 up counts as switched off. Nothing for
// negative numbers, fractions and NaN.
std::optional<uint64_t> TakeLimit(double number) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (!(number >= 0)) return std::nullopt;
  if (number >= kTwoTo63) return kNoLimit;
  const uint64_t whole = static_cast<uint64_t>(number);
  if (static_cast<double>(whole) != number) return std::nullopt;
  return whole;
}

// The ten numbers of DecoderOption. Precondition: `numbers` has kDecoderOptions elements.
std::optional<DecoderOptions> TakeOptions(const double* numbers) {
  std::array<uint64_t, kDecoderOptions> limits{};
  for (size_t i = 0; i < kDecoderOptions; i++) {
    const std::optional<uint64_t> limit = TakeLimit(numbers[i]);
    if (!limit) return std::nullopt;
    limits[i] = *limit;
  }
  DecoderOptions options;
  options.head_bytes = limits[DecoderOption::kHeadBytes];
  options.field_count = limits[DecoderOption::kFieldCount];
  options.name_bytes = limits[DecoderOption::kNameBytes];
  options.value_bytes = limits[DecoderOption::kValueBytes];
  options.body_bytes = limits[DecoderOption::kBodyBytes];
  options.head_records = limits[DecoderOption::kHeadRecords];
  options.requests_per_connection = limits[DecoderOption::kRequestsPerConnection];
  options.ajp_packet_bytes = limits[DecoderOption::kAjpPacketBytes];
  options.ajp_raw_body = limits[DecoderOption::kAjpRawBody] != 0;
  options.scgi_strict = limits[DecoderOption::kScgiStrict] != 0;
  return options;
}

// All that the constructor is given, checked.
struct Parts {
  uint32_t protocol = 0;
  Memory bytes;
  Memory events;
  Memory fields;
  Memory state;
  uint32_t read_end = 0;
  uint32_t head_end = 0;
  DecoderOptions options;
};

// Takes one typed array. Returns false when it is not what it has to be; see TakeMemory().
bool Take(const Napi::CallbackInfo& info, Argument argument, napi_typedarray_type type,
          size_t length_min, Memory& memory) {
  const auto taken = TakeMemory(info.Env(), info[argument], type, length_min);
  if (taken) memory = *taken;
  return taken.has_value();
}

// Takes the constructor's arguments. Returns nullptr, or what is wrong with them.
const char* TakeParts(const Napi::CallbackInfo& info, Parts& parts) {
  const auto protocol = TakeNumber(info[kProtocol], ProtocolNumber::kAjp);
  if (!protocol || *protocol == 0) return "protocol is no ProtocolNumber";
  parts.protocol = *protocol;
  if (!Take(info, kRing, napi_uint8_array, 1, parts.bytes) || parts.bytes.length > INT32_MAX) {
    return "ring is no Uint8Array over plain memory";
  }
  if (!Take(info, kEvents, napi_int32_array, kEventRowsMin * kEventWidth, parts.events)) {
    return "events is no Int32Array over plain memory, or too small";
  }
  if (!Take(info, kFields, napi_int32_array, kFieldRowsExtra * kFieldWidth, parts.fields)) {
    return "fields is no Int32Array over plain memory, or too small";
  }
  if (!Take(info, kState, napi_int32_array, kStateCells, parts.state)) {
    return "state is no Int32Array over plain memory, or too small";
  }
  const auto head_end = TakeNumber(info[kHeadEnd], static_cast<uint32_t>(parts.bytes.length));
  const auto read_end = TakeNumber(info[kReadEnd], head_end.value_or(0));
  if (!head_end || !read_end) return "readEnd and headEnd are no offsets of the ring";
  parts.head_end = *head_end;
  parts.read_end = *read_end;
  Memory numbers;
  if (!Take(info, kOptions, napi_float64_array, kDecoderOptions, numbers)) {
    return "options is no Float64Array over plain memory, or too small";
  }
  const auto options = TakeOptions(static_cast<const double*>(numbers.data));
  if (!options) return "options holds a number that is no limit";
  parts.options = *options;
  return nullptr;
}

CellsView Cells(const Memory& memory) {
  return CellsView(static_cast<int32_t*>(memory.data), memory.length);
}

std::unique_ptr<Decoder> MakeDecoder(uint32_t protocol, const Ring& ring, const RowWriter& rows,
                                     const DecoderOptions& options) {
  switch (protocol) {
    case ProtocolNumber::kFastcgi:
      return std::make_unique<FastcgiDecoder>(ring, rows, options);
    case ProtocolNumber::kScgi:
      return std::make_unique<ScgiDecoder>(ring, rows, options);
    case ProtocolNumber::kAjp:
      return std::make_unique<AjpDecoder>(ring, rows, options);
    default:
      return nullptr;
  }
}

void ThrowTypeError(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
}

}  // namespace

Napi::Function JsDecoder::Define(Napi::Env env) {
  return DefineClass(env, "Decoder",
                     {
                         InstanceMethod<&JsDecoder::JS_Decode>("decode"),
                         InstanceMethod<&JsDecoder::JS_Note>("note"),
                     });
}

JsDecoder::JsDecoder(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsDecoder>(info) {
  Parts parts;
  const char* mistake = TakeParts(info, parts);
  if (mistake != nullptr) {
    ThrowTypeError(info.Env(), mistake);
    return;
  }
  size_t index = 0;
  for (const Memory* memory : {&parts.bytes, &parts.events, &parts.fields, &parts.state}) {
    buffers_[index++] = Napi::Persistent(memory->buffer);
  }
  read_end_ = parts.read_end;
  const uint32_t size = static_cast<uint32_t>(parts.bytes.length);
  const Ring ring{BytesView(static_cast<uint8_t*>(parts.bytes.data), size), parts.read_end,
                  parts.head_end};
  const RowWriter rows(Cells(parts.events), Cells(parts.fields), Cells(parts.state));
  decoder_ = MakeDecoder(parts.protocol, ring, rows, parts.options);
}

bool JsDecoder::HasMemory(Napi::Env env) const {
  for (const auto& reference : buffers_) {
    napi_value buffer = nullptr;
    bool detached = true;
    if (napi_get_reference_value(env, reference, &buffer) != napi_ok || buffer == nullptr ||
        napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) {
      return false;
    }
  }
  return true;
}

Napi::Value JsDecoder::JS_Decode(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto end = TakeNumber(info[1], read_end_);
  const auto start = TakeNumber(info[0], end.value_or(0));
  if (!start || !end) {
    Napi::RangeError::New(env, "start and end are no range of the ring's read area")
        .ThrowAsJavaScriptException();
    return env.Undefined();
  }
  if (!HasMemory(env)) {
    ThrowTypeError(env, "ring or tables were detached");
    return env.Undefined();
  }
  return Napi::Number::New(env, decoder_->Decode(*start, *end));
}

void JsDecoder::JS_Note(const Napi::CallbackInfo& info) {
  const auto event = TakeNumber(info[0], UINT32_MAX);
  const auto exchange_id = TakeNumber(info[1], UINT32_MAX);
  if (!event || !exchange_id) {
    ThrowTypeError(info.Env(), "event and exchangeId are no whole numbers");
    return;
  }
  decoder_->NoteEvent(*event, *exchange_id);
}

}  // namespace postern

// Every check of what JavaScript hands in stands here, once.
// It decodes nothing and keeps no pointer beyond the call.
// Twin of what it serves: src/engine/native.ts.
#include "js_values.h"

#include <array>

namespace postern {
namespace {

std::optional<uint64_t> TakeLimit(double number) {
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (!(number >= 0)) return std::nullopt;
  if (number >= kTwoTo63) return kNoLimit;
  const uint64_t whole = static_cast<uint64_t>(number);
  if (static_cast<double>(whole) != number) return std::nullopt;
  return whole;
}

}  // namespace

std::optional<TypedMemory> TakeMemory(Napi::Env env, const Napi::Value& value,
                                      napi_typedarray_type type, size_t length_min) {
  if (!value.IsTypedArray()) return std::nullopt;
  napi_typedarray_type actual{};
  TypedMemory memory;
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

std::optional<uint32_t> TakeNumber(Napi::Env env, napi_value value, uint32_t max) {
  double number = 0;
  if (value == nullptr || napi_get_value_double(env, value, &number) != napi_ok) {
    return std::nullopt;
  }
  if (!(number >= 0 && number <= static_cast<double>(max))) return std::nullopt;
  const uint32_t whole = static_cast<uint32_t>(number);
  if (static_cast<double>(whole) != number) return std::nullopt;
  return whole;
}

std::optional<DecoderOptions> TakeOptions(Napi::Env env, const Napi::Value& value) {
  if (!value.IsTypedArray()) return std::nullopt;
  napi_typedarray_type type{};
  size_t length = 0;
  void* data = nullptr;
  // Read here and now, each number once: unlike ring and tables it may lie in any kind of memory.
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float64_array || length < kDecoderOptions || data == nullptr) {
    return std::nullopt;
  }
  const double* numbers = static_cast<const double*>(data);
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

}  // namespace postern

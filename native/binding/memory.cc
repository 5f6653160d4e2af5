// Ring and tables: checked once, by createMemory, and kept.
// State belongs to one environment (main thread or worker) and goes with it.
// Twin: src/engine/native.ts.
#include "memory.h"

#include "ajp_decoder.h"
#include "fastcgi_decoder.h"
#include "js_values.h"
#include "scgi_decoder.h"

namespace postern {
namespace {

// Event rows that one step of a decoder may need at once; a table below it could stop it for ever.
constexpr size_t kEventRowsMin = 8;

CellsView Cells(const TypedMemory& memory) {
  return CellsView(static_cast<int32_t*>(memory.data), memory.length);
}

// Takes the arguments of createMemory. Returns nullptr, or what is wrong with them.
const char* TakeArguments(const Napi::CallbackInfo& info, Memory& memory) {
  const Napi::Env env = info.Env();
  const auto bytes = TakeMemory(env, info[0], napi_uint8_array, 1);
  if (!bytes || bytes->length > INT32_MAX) return "ring is no Uint8Array over plain memory";
  const auto events = TakeMemory(env, info[1], napi_int32_array, kEventRowsMin * kEventWidth);
  if (!events) return "events is no Int32Array over plain memory, or too small";
  const auto fields = TakeMemory(env, info[2], napi_int32_array, kFieldRowsExtra * kFieldWidth);
  if (!fields) return "fields is no Int32Array over plain memory, or too small";
  const auto state = TakeMemory(env, info[3], napi_int32_array, kStateCells);
  if (!state) return "state is no Int32Array over plain memory, or too small";
  const uint32_t size = static_cast<uint32_t>(bytes->length);
  const auto head_end = TakeNumber(env, info[5], size);
  const auto read_end = TakeNumber(env, info[4], head_end.value_or(0));
  if (!head_end || !read_end) return "readEnd and headEnd are no offsets of the ring";
  memory.ring = {BytesView(static_cast<uint8_t*>(bytes->data), size), *read_end, *head_end};
  memory.rows = RowWriter(Cells(*events), Cells(*fields), Cells(*state));
  for (const auto* array : {&*bytes, &*events, &*fields, &*state}) memory.Keep(array->buffer);
  return nullptr;
}

void ForgetMemory(Napi::BasicEnv /*env*/, MemoryHandle* handle) {
  handle->handles->memories.erase(handle);
  delete handle;
}

// createMemory(ring, events, fields, state, readEnd, headEnd) → handle. Throws a TypeError for
// anything but plain, attached arrays of the right type and size.
Napi::Value JS_CreateMemory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto memory = std::make_shared<Memory>();
  const char* mistake = TakeArguments(info, *memory);
  if (mistake != nullptr) {
    ThrowTypeError(env, mistake);
    return env.Undefined();
  }
  Instance* instance = static_cast<Instance*>(info.Data());
  auto* handle = new MemoryHandle{instance->handles, std::move(memory)};
  instance->handles->memories.insert(handle);
  return Napi::External<MemoryHandle>::New(env, handle, ForgetMemory);
}

}  // namespace

void Memory::Keep(const Napi::ArrayBuffer& buffer) {
  for (size_t i = 0; i < buffer_count; i++) {
    if (buffers[i].Value().StrictEquals(buffer)) return;
  }
  buffers[buffer_count++] = Napi::Persistent(buffer);
}

bool Memory::IsThere(napi_env env) const {
  for (size_t i = 0; i < buffer_count; i++) {
    napi_value buffer = nullptr;
    bool detached = true;
    if (napi_get_reference_value(env, buffers[i], &buffer) != napi_ok || buffer == nullptr ||
        napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) {
      return false;
    }
  }
  return true;
}

void ThrowTypeError(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
}

void* AddressOf(napi_env env, napi_value value) {
  void* address = nullptr;
  if (value == nullptr || napi_get_value_external(env, value, &address) != napi_ok) return nullptr;
  return address;
}

MemoryHandle* TakeMemoryHandle(napi_env env, const Handles& handles, napi_value value) {
  void* address = AddressOf(env, value);
  return handles.memories.count(address) == 0 ? nullptr : static_cast<MemoryHandle*>(address);
}

std::unique_ptr<Decoder> MakeDecoder(uint32_t protocol, Memory& memory,
                                     const DecoderOptions& options) {
  switch (protocol) {
    case ProtocolNumber::kFastcgi:
      return std::make_unique<FastcgiDecoder>(memory.ring, memory.rows, options);
    case ProtocolNumber::kScgi:
      return std::make_unique<ScgiDecoder>(memory.ring, memory.rows, options);
    case ProtocolNumber::kAjp:
      return std::make_unique<AjpDecoder>(memory.ring, memory.rows, options);
    default:
      return nullptr;
  }
}

void DefineMemory(Napi::Env env, Napi::Object exports, Instance* instance) {
  exports.Set("createMemory", Napi::Function::New<JS_CreateMemory>(env, "createMemory", instance));
}

}  // namespace postern

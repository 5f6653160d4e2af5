// A reference keeps the piece alive while bytes may be read to it.
// Whether it is still there is asked before each read: an application may have given it away.
// Node-API.
#include "landing.h"

#include "js_values.h"

namespace postern {

bool Landing::Take(napi_env env, napi_value piece) {
  const auto memory = TakeMemory(env, Napi::Value(env, piece), napi_uint8_array, 1);
  if (!memory || memory->length > INT32_MAX) return false;
  buffer_ = Napi::Persistent(memory->buffer);
  bytes_ = BytesView(static_cast<uint8_t*>(memory->data), static_cast<uint32_t>(memory->length));
  at_ = 0;
  return true;
}

uint32_t Landing::Room(napi_env env) const {
  if (bytes_.size() == 0) return 0;
  napi_value buffer = nullptr;
  bool detached = true;
  if (napi_get_reference_value(env, buffer_, &buffer) != napi_ok || buffer == nullptr ||
      napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok || detached) {
    return 0;
  }
  return bytes_.size() - at_;
}

}  // namespace postern

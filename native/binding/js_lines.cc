// Arrays of JavaScript → a writer of lines, and its calls.
// Plain Node-API where a request passes: each wrapped argument costs more than the call.
// Twin: src/engine/lines.ts.
#include "js_lines.h"

#include <array>
#include <ctime>
#include <vector>

#include "js_values.h"
#include "line_writer.h"
#include "memory.h"

namespace postern {
namespace {

// Room for the text of a head at first; it grows with the longest.
constexpr size_t kTextBytes = 8192;

// A latin1 string of JavaScript, copied out.
class TextRoom {
 public:
  // Nothing for a value that is no string.
  BytesView Take(napi_env env, napi_value value) {
    size_t length = 0;
    // The call ends what it writes with a NUL, and fills the room that there is.
    if (napi_get_value_string_latin1(env, value, room_.data(), room_.size(), &length) != napi_ok) {
      return BytesView();
    }
    if (length + 1 >= room_.size()) {
      napi_get_value_string_latin1(env, value, nullptr, 0, &length);
      room_.resize((length + 1) * 2);
      napi_get_value_string_latin1(env, value, room_.data(), room_.size(), &length);
    }
    return BytesView(reinterpret_cast<uint8_t*>(room_.data()), static_cast<uint32_t>(length));
  }

 private:
  std::vector<char> room_ = std::vector<char>(kTextBytes);
};

// A writer and what it writes into; it goes when its function is collected.
struct Lines {
  LineWriter writer;
  BytesView out;
  // They keep the arrays alive.
  std::array<Napi::Reference<Napi::ArrayBuffer>, 4> buffers;
  TextRoom text;
  TextRoom added;
};

// line(at, text, added?) → offset behind the line, or 0.
napi_value JS_Line(napi_env env, napi_callback_info info) {
  napi_value arguments[3] = {};
  size_t count = 3;
  void* data = nullptr;
  napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
  auto* lines = static_cast<Lines*>(data);
  int32_t at = 0;
  napi_get_value_int32(env, arguments[0], &at);
  const BytesView text = lines->text.Take(env, arguments[1]);
  const BytesView added = count < 3 ? BytesView() : lines->added.Take(env, arguments[2]);
  const uint32_t behind = lines->writer.Write(text, added, lines->out, static_cast<uint32_t>(at),
                                              static_cast<uint32_t>(std::time(nullptr)));
  napi_value end = nullptr;
  napi_create_uint32(env, behind, &end);
  return end;
}

BytesView Bytes(const TypedMemory& memory) {
  return BytesView(static_cast<uint8_t*>(memory.data), static_cast<uint32_t>(memory.length));
}

CellsView Cells(const TypedMemory& memory) {
  return CellsView(static_cast<int32_t*>(memory.data), memory.length);
}

// createLines(steps, cells, literals, out) → line. Throws a TypeError for anything but plain,
// attached arrays of the right type.
Napi::Value JS_CreateLines(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto steps = TakeMemory(env, info[0], napi_int32_array, 1);
  const auto cells = TakeMemory(env, info[1], napi_int32_array, 2);
  const auto literals = TakeMemory(env, info[2], napi_uint8_array, 1);
  const auto out = TakeMemory(env, info[3], napi_uint8_array, 1);
  if (!steps || !cells || !literals || !out || out->length > INT32_MAX ||
      literals->length > INT32_MAX) {
    ThrowTypeError(env, "createLines takes two Int32Array and two Uint8Array over plain memory");
    return env.Undefined();
  }
  auto* lines = new Lines();
  lines->writer = LineWriter(Cells(*steps), Cells(*cells), Bytes(*literals));
  lines->out = Bytes(*out);
  size_t index = 0;
  for (const auto* array : {&*steps, &*cells, &*literals, &*out}) {
    lines->buffers[index++] = Napi::Persistent(array->buffer);
  }
  napi_value line = nullptr;
  napi_create_function(env, "line", NAPI_AUTO_LENGTH, JS_Line, lines, &line);
  const auto forget = [](napi_env /*env*/, void* data, void* /*hint*/) {
    delete static_cast<Lines*>(data);
  };
  napi_add_finalizer(env, line, lines, forget, nullptr, nullptr);
  return Napi::Value(env, line);
}

}  // namespace

void DefineLines(Napi::Env env, Napi::Object exports) {
  exports.Set("createLines", Napi::Function::New<JS_CreateLines>(env, "createLines"));
}

}  // namespace postern

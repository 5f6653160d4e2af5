// Strings and buffers of JavaScript → one write.
// Text is copied into the cell's room, once; buffers are written where they lie.
// Twin: src/engine/transport.ts.
#include <array>
#include <vector>

#include "memory.h"
#include "transport_call.h"

namespace postern {
namespace {

// Pieces of one response that are handed over at once.
constexpr uint32_t kPiecesMax = 1'024;

// Copies a latin1 string to the end of `text`; returns its length.
size_t AppendText(napi_env env, napi_value value, std::vector<char>& text, size_t at) {
  size_t length = 0;
  // The call ends what it writes with a NUL, and fills the room that there is.
  napi_get_value_string_latin1(env, value, text.data() + at, text.size() - at, &length);
  if (at + length + 1 < text.size()) return length;
  napi_get_value_string_latin1(env, value, nullptr, 0, &length);
  text.resize((at + length + 1) * 2);
  napi_get_value_string_latin1(env, value, text.data() + at, text.size() - at, &length);
  return length;
}

}  // namespace

// send(connection, text) → bytes that are queued now.
napi_value JS_Send(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  if (connection == nullptr) return call.Whole(0);
  std::vector<char>& text = call.cell->text();
  const size_t length = AppendText(env, call.arguments[1], text, 0);
  const iovec piece{text.data(), length};
  const napi_value owner = nullptr;
  return call.Number(static_cast<double>(call.transport->Send(*connection, &piece, &owner, 1)));
}

namespace {

// One piece of an array as bytes. Returns false for what is neither string nor bytes.
bool TakePiece(const Call& call, napi_value value, iovec& piece, napi_value& owner, size_t& at) {
  napi_valuetype type{};
  napi_typeof(call.env, value, &type);
  if (type == napi_string) {
    const size_t length = AppendText(call.env, value, call.cell->text(), at);
    // The text may move while it grows; its place is put in later.
    piece = {nullptr, length};
    at += length;
    owner = nullptr;
    return true;
  }
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(call.env, value, nullptr, &length, &data, nullptr, nullptr) !=
      napi_ok) {
    return false;
  }
  piece = {data, length};
  owner = value;
  return true;
}

}  // namespace

// sendPieces(connection, pieces) → bytes that are queued now. Throws a TypeError for a piece that
// is neither a string nor a Uint8Array, and for more than there may be.
napi_value JS_SendPieces(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  uint32_t count = 0;
  napi_get_array_length(env, call.arguments[1], &count);
  if (connection == nullptr) return call.Whole(0);
  if (count > kPiecesMax) {
    ThrowTypeError(env, "too many pieces");
    return nullptr;
  }
  std::array<iovec, kPiecesMax> pieces{};
  std::array<napi_value, kPiecesMax> owners{};
  size_t at = 0;
  for (uint32_t i = 0; i < count; i++) {
    napi_value value = nullptr;
    napi_get_element(env, call.arguments[1], i, &value);
    if (!TakePiece(call, value, pieces[i], owners[i], at)) {
      ThrowTypeError(env, "a piece is neither a string nor a Uint8Array");
      return nullptr;
    }
  }
  char* text = call.cell->text().data();
  for (uint32_t i = 0; i < count; i++) {
    if (owners[i] != nullptr) continue;
    pieces[i].iov_base = text;
    text += pieces[i].iov_len;
  }
  return call.Number(
      static_cast<double>(call.transport->Send(*connection, pieces.data(), owners.data(), count)));
}

}  // namespace postern

// Arguments of JavaScript → calls of one transport.
// Plain Node-API and not its C++ wrapper where a request passes: each wrapped argument costs more
// than the call. Twin: src/engine/transport.ts.
#include "js_transport.h"

#include <cerrno>
#include <string>

#include "js_values.h"
#include "socket.h"
#include "transport_call.h"

namespace postern {
namespace {

// listen(fd, isShared) → 0 or an errno.
napi_value JS_Listen(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport == nullptr) return nullptr;
  return call.Whole(static_cast<uint32_t>(call.transport->Listen(call.Integer(0), call.Flag(1))));
}

// unlisten()
napi_value JS_Unlisten(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport != nullptr) call.transport->Unlisten();
  return nullptr;
}

// acceptAgain()
napi_value JS_AcceptAgain(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport != nullptr) call.transport->AcceptAgain();
  return nullptr;
}

// setReferenced(flag)
napi_value JS_SetReferenced(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport != nullptr) call.transport->SetReferenced(call.Flag(0));
  return nullptr;
}

// close()
napi_value JS_Close(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  call.cell->Close();
  return nullptr;
}

// poll() → rows
napi_value JS_Poll(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport == nullptr) return call.Whole(0);
  if (!call.transport->memory().IsThere(env)) {
    ThrowTypeError(env, "ring or tables were detached");
    return nullptr;
  }
  return call.Whole(call.transport->Poll());
}

// decodeHeld(connection) → rows
napi_value JS_DecodeHeld(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  return call.Whole(connection == nullptr ? 0 : call.transport->DecodeHeld(*connection));
}

// land(piece)
napi_value JS_Land(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport != nullptr && !call.transport->Land(call.arguments[0])) {
    ThrowTypeError(env, "the piece is no Uint8Array over plain memory");
  }
  return nullptr;
}

// text(start, length) → latin1 string of ring bytes; undefined for a range outside of it.
napi_value JS_Text(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  if (call.transport == nullptr) return nullptr;
  const BytesView bytes = call.transport->memory().ring.bytes;
  const uint32_t start = static_cast<uint32_t>(call.Integer(0));
  const uint32_t length = static_cast<uint32_t>(call.Integer(1));
  if (!bytes.Holds(start, length)) return nullptr;
  napi_value text = nullptr;
  napi_create_string_latin1(env, reinterpret_cast<const char*>(bytes.Range(start, length)), length,
                            &text);
  return text;
}

// note(connection, event, exchangeId)
napi_value JS_NoteConnection(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  if (connection == nullptr || connection->decoder == nullptr) return nullptr;
  const uint32_t event = static_cast<uint32_t>(call.Integer(1));
  connection->decoder->NoteEvent(event, static_cast<uint32_t>(call.Integer(2)));
  if (event == Note::kEnded) connection->Settle();
  return nullptr;
}

// setReading(connection, flag)
napi_value JS_SetReading(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  if (connection != nullptr) call.transport->SetReading(*connection, call.Flag(1));
  return nullptr;
}

// drop(connection)
napi_value JS_Drop(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  if (connection != nullptr) call.transport->Drop(*connection);
  return nullptr;
}

// finish(connection, quiet) → is it closed altogether now?
napi_value JS_Finish(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  return call.Truth(connection == nullptr || call.transport->Finish(*connection, call.Flag(1)));
}

// closeNow(connection, reset)
napi_value JS_CloseNow(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  if (connection != nullptr) call.transport->CloseNow(*connection, call.Flag(1));
  return nullptr;
}

// closeWhenSent(connection) → is it closed now?
napi_value JS_CloseWhenSent(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  return call.Truth(connection == nullptr || call.transport->CloseWhenSent(*connection));
}

// release(connection) → its descriptor, or −1
napi_value JS_Release(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  Connection* connection = call.Named();
  return call.Number(connection == nullptr ? -1 : call.transport->Release(*connection));
}

// isMovable(connection) → can another take it over?
napi_value JS_IsMovable(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Connection* connection = call.Named();
  return call.Truth(connection != nullptr && Transport::IsMovable(*connection));
}

// adopt(fd, duplicate) → the connection, or −errno
napi_value JS_Adopt(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  int error = EBADF;
  const Connection* connection = call.transport == nullptr
                                     ? nullptr
                                     : call.transport->Adopt(call.Integer(0), call.Flag(1), error);
  return call.Number(connection == nullptr ? -error : connection->id);
}

// duplicate(fd) → a second descriptor, or −errno
napi_value JS_Duplicate(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  int32_t fd = -1;
  napi_get_value_int32(env, argument, &fd);
  napi_value result = nullptr;
  napi_create_int32(env, sockets::Duplicate(fd), &result);
  return result;
}

// queuedBytes(connection)
napi_value JS_QueuedBytes(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Connection* connection = call.Named();
  return call.Number(connection == nullptr ? 0 : static_cast<double>(connection->queued_bytes()));
}

// writtenBytes(connection)
napi_value JS_WrittenBytes(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Connection* connection = call.Named();
  return call.Number(connection == nullptr ? 0 : static_cast<double>(connection->written_bytes));
}

// isPartial(connection) → is a frame unfinished?
napi_value JS_IsPartial(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Connection* connection = call.Named();
  return call.Truth(connection != nullptr && !connection->remainder.empty());
}

// peer(connection) → `address port`, or "" for a unix socket
napi_value JS_Peer(napi_env env, napi_callback_info info) {
  const Call call(env, info);
  const Connection* connection = call.Named();
  const std::string text = connection == nullptr ? "" : sockets::PeerText(connection->peer);
  napi_value value = nullptr;
  napi_create_string_latin1(env, text.data(), text.size(), &value);
  return value;
}

struct Member {
  const char* name;
  napi_callback call;
};

constexpr Member kMembers[] = {
    {"listen", JS_Listen},
    {"unlisten", JS_Unlisten},
    {"acceptAgain", JS_AcceptAgain},
    {"setReferenced", JS_SetReferenced},
    {"close", JS_Close},
    {"poll", JS_Poll},
    {"decodeHeld", JS_DecodeHeld},
    {"land", JS_Land},
    {"text", JS_Text},
    {"send", JS_Send},
    {"sendPieces", JS_SendPieces},
    {"note", JS_NoteConnection},
    {"setReading", JS_SetReading},
    {"drop", JS_Drop},
    {"finish", JS_Finish},
    {"closeNow", JS_CloseNow},
    {"closeWhenSent", JS_CloseWhenSent},
    {"release", JS_Release},
    {"isMovable", JS_IsMovable},
    {"adopt", JS_Adopt},
    {"queuedBytes", JS_QueuedBytes},
    {"writtenBytes", JS_WrittenBytes},
    {"isPartial", JS_IsPartial},
    {"peer", JS_Peer},
};

// The table of first bytes: a Uint8Array of 256.
bool TakeProtocols(napi_env env, napi_value value, Transport::ProtocolByByte& protocols) {
  napi_typedarray_type type{};
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_uint8_array || length != protocols.size() || data == nullptr) {
    return false;
  }
  const uint8_t* bytes = static_cast<const uint8_t*>(data);
  for (size_t i = 0; i < protocols.size(); i++) protocols[i] = bytes[i];
  return true;
}

// openTransport(memory, options, protocols, turn). Throws a TypeError for anything else, an Error
// when the system has no epoll set to give.
Napi::Value JS_OpenTransport(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Instance* instance = static_cast<Instance*>(info.Data());
  const MemoryHandle* memory = TakeMemoryHandle(env, *instance->handles, info[0]);
  const auto options = TakeOptions(env, info[1]);
  Transport::ProtocolByByte protocols{};
  const char* mistake = nullptr;
  if (memory == nullptr) mistake = "the first argument is no memory";
  if (!options) mistake = "options is no Float64Array of limits";
  if (!TakeProtocols(env, info[2], protocols)) mistake = "protocols is no Uint8Array of 256";
  if (!info[3].IsFunction()) mistake = "turn is no function";
  if (mistake != nullptr) {
    ThrowTypeError(env, mistake);
    return env.Undefined();
  }
  auto transport = std::make_unique<Transport>(env, memory->memory, *options, protocols);
  TransportCell* cell =
      TransportCell::Open(env, std::move(transport), info[3].As<Napi::Function>());
  if (cell == nullptr) return env.Undefined();
  Napi::Object functions = Napi::Object::New(env);
  for (const Member& member : kMembers) {
    napi_value function = nullptr;
    napi_create_function(env, member.name, NAPI_AUTO_LENGTH, member.call, cell, &function);
    functions.Set(member.name, Napi::Value(env, function));
  }
  return functions;
}

}  // namespace

void DefineTransport(Napi::Env env, Napi::Object exports, Instance* instance) {
  exports.Set("openTransport",
              Napi::Function::New<JS_OpenTransport>(env, "openTransport", instance));
  napi_value duplicate = nullptr;
  napi_create_function(env, "duplicate", NAPI_AUTO_LENGTH, JS_Duplicate, nullptr, &duplicate);
  exports.Set("duplicate", Napi::Value(env, duplicate));
}

}  // namespace postern

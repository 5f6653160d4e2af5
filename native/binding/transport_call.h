// One call of a transport's function: its arguments, and the transport unless it is closed.
// It takes integers for what they are and anything else for 0: the caller is our own TypeScript.
// Node-API; js_transport.cc and js_transport_send.cc define the functions.
#ifndef POSTERN_BINDING_TRANSPORT_CALL_H_
#define POSTERN_BINDING_TRANSPORT_CALL_H_

#include <napi.h>

#include "transport_cell.h"

namespace postern {

constexpr size_t kArgumentsMax = 4;

// One call: the arguments, and the transport unless it is closed.
struct Call {
  Call(napi_env call_env, napi_callback_info info) : env(call_env) {
    size_t count = kArgumentsMax;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, arguments, nullptr, &data);
    cell = static_cast<TransportCell*>(data);
    transport = cell->transport();
  }

  // An integer, or 0 for anything else.
  int32_t Integer(size_t index) const {
    int32_t number = 0;
    napi_get_value_int32(env, arguments[index], &number);
    return number;
  }
  bool Flag(size_t index) const {
    bool flag = false;
    napi_get_value_bool(env, arguments[index], &flag);
    return flag;
  }
  // The connection that the first argument names, or nullptr.
  Connection* Named() const {
    if (transport == nullptr) return nullptr;
    return transport->Find(static_cast<uint32_t>(Integer(0)));
  }
  napi_value Number(double number) const {
    napi_value value = nullptr;
    napi_create_double(env, number, &value);
    return value;
  }
  napi_value Whole(uint32_t number) const {
    napi_value value = nullptr;
    napi_create_uint32(env, number, &value);
    return value;
  }
  napi_value Truth(bool truth) const {
    napi_value value = nullptr;
    napi_get_boolean(env, truth, &value);
    return value;
  }

  napi_env env;
  napi_value arguments[kArgumentsMax] = {};
  TransportCell* cell = nullptr;
  Transport* transport = nullptr;
};

// send(connection, text) and sendPieces(connection, pieces): js_transport_send.cc.
napi_value JS_Send(napi_env env, napi_callback_info info);
napi_value JS_SendPieces(napi_env env, napi_callback_info info);

}  // namespace postern

#endif  // POSTERN_BINDING_TRANSPORT_CALL_H_

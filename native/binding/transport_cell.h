// What the functions of one transport share: the transport itself, and how JavaScript is woken.
// Functions may outlive their transport; the cell stays as long as its environment and says so.
// Node-API: napi_make_callback, asynchronous clean-up hooks.
#ifndef POSTERN_BINDING_TRANSPORT_CELL_H_
#define POSTERN_BINDING_TRANSPORT_CELL_H_

#include <napi.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "transport.h"

namespace postern {

class TransportCell {
 public:
  // Makes a transport that calls `turn` once a turn of the loop. Returns nullptr and throws an
  // Error when the system does not let it.
  static TransportCell* Open(Napi::Env env, std::unique_ptr<Transport> transport,
                             const Napi::Function& turn);

  // Nullptr once it is closed.
  Transport* transport() const { return is_open_ ? transport_.get() : nullptr; }

  // Closes the transport; it goes when the loop has let go of it.
  void Close();

  // Room for the text of one response; grows with the longest.
  std::vector<char>& text() { return text_; }

 private:
  TransportCell(Napi::Env env, std::unique_ptr<Transport> transport, const Napi::Function& turn);
  void Turn();
  static void CleanUp(napi_async_cleanup_hook_handle handle, void* cell);

  Napi::Env env_;
  std::unique_ptr<Transport> transport_;
  Napi::FunctionReference turn_;
  Napi::AsyncContext context_;
  std::vector<char> text_;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  bool is_open_ = true;
};

}  // namespace postern

#endif  // POSTERN_BINDING_TRANSPORT_CELL_H_

// One wake-up a turn: JavaScript is called, then what was accepted joins the epoll set.
// An error that JavaScript lets through is an uncaught exception, as from any callback of Node's.
// Closing takes a turn of the loop; an environment that ends waits for it.
#include "transport_cell.h"

#include <utility>

namespace postern {
namespace {

// First room for a response's text: a usual head with a small body fits.
constexpr size_t kTextBytesFirst = 16'384;

}  // namespace

TransportCell::TransportCell(Napi::Env env, std::unique_ptr<Transport> transport,
                             const Napi::Function& turn)
    : env_(env),
      transport_(std::move(transport)),
      turn_(Napi::Persistent(turn)),
      context_(env, "POSTERN_TRANSPORT"),
      text_(kTextBytesFirst) {}

TransportCell* TransportCell::Open(Napi::Env env, std::unique_ptr<Transport> transport,
                                   const Napi::Function& turn) {
  auto* cell = new TransportCell(env, std::move(transport), turn);
  const int error = cell->transport_->Open(
      [](void* context) { static_cast<TransportCell*>(context)->Turn(); }, cell);
  if (error != 0) {
    delete cell;
    Napi::Error::New(env, "no epoll set, errno " + std::to_string(error))
        .ThrowAsJavaScriptException();
    return nullptr;
  }
  napi_add_async_cleanup_hook(env, CleanUp, cell, &cell->cleanup_);
  return cell;
}

void TransportCell::Turn() {
  if (!is_open_) return;
  const Napi::HandleScope scope(env_);
  transport_->BeginTurn();
  napi_value result = nullptr;
  const napi_value turn = turn_.Value();
  const napi_status status =
      napi_make_callback(env_, context_, env_.Global(), turn, 0, nullptr, &result);
  if (status == napi_pending_exception) {
    napi_value error = nullptr;
    napi_get_and_clear_last_exception(env_, &error);
    napi_fatal_exception(env_, error);
  }
  if (is_open_) transport_->EndTurn();
}

void TransportCell::Close() {
  if (!is_open_) return;
  is_open_ = false;
  transport_->Close([](void* context) {
    auto* cell = static_cast<TransportCell*>(context);
    cell->transport_.reset();
    cell->turn_.Reset();
    // The environment need not wait any more; the cell stays for functions that JavaScript holds.
    if (cell->cleanup_ != nullptr) napi_remove_async_cleanup_hook(cell->cleanup_);
    cell->cleanup_ = nullptr;
  });
}

// The environment ends: it goes on when napi_remove_async_cleanup_hook is called.
void TransportCell::CleanUp(napi_async_cleanup_hook_handle /*handle*/, void* cell) {
  static_cast<TransportCell*>(cell)->Close();
}

}  // namespace postern

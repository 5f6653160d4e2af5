// A poll handle of libuv's, by the few functions that it takes.
// Memory of the handle is libuv's to measure (uv_handle_size), so no struct of its is known here.
// libuv 1.19 and newer; every Node from 20 on has it.
#include "loop_watch.h"

#include <cstdlib>

extern "C" {
size_t uv_handle_size(int type);
int uv_poll_init(uv_loop_s* loop, void* handle, int fd);
int uv_poll_start(void* handle, int events, void (*ready)(void* handle, int status, int events));
void uv_close(void* handle, void (*closed)(void* handle));
void uv_ref(void* handle);
void uv_unref(void* handle);
void* uv_handle_get_data(const void* handle);
void* uv_handle_set_data(void* handle, void* data);
}

namespace postern {
namespace {

// UV_POLL of uv_handle_type and UV_READABLE of uv_poll_event.
constexpr int kUvPoll = 8;
constexpr int kUvReadable = 1;

}  // namespace

LoopWatch* LoopWatch::Open(napi_env env, int fd, void* owner, Ready ready) {
  uv_loop_s* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) return nullptr;
  void* handle = std::calloc(1, uv_handle_size(kUvPoll));
  if (handle == nullptr) return nullptr;
  if (uv_poll_init(loop, handle, fd) != 0) {
    std::free(handle);
    return nullptr;
  }
  LoopWatch* watch = new LoopWatch();
  watch->handle_ = handle;
  watch->owner_ = owner;
  watch->ready_ = ready;
  uv_handle_set_data(handle, watch);
  uv_unref(handle);
  uv_poll_start(handle, kUvReadable, [](void* ready_handle, int /*status*/, int /*events*/) {
    const LoopWatch* self = static_cast<LoopWatch*>(uv_handle_get_data(ready_handle));
    self->ready_(self->owner_);
  });
  return watch;
}

void LoopWatch::SetReferenced(bool referenced) {
  if (referenced) {
    uv_ref(handle_);
  } else {
    uv_unref(handle_);
  }
}

void LoopWatch::Close(Closed closed) {
  closed_ = closed;
  uv_close(handle_, [](void* closed_handle) {
    LoopWatch* self = static_cast<LoopWatch*>(uv_handle_get_data(closed_handle));
    void* owner = self->owner_;
    const Closed told = self->closed_;
    std::free(closed_handle);
    delete self;
    told(owner);
  });
}

}  // namespace postern

// A duplicate of the descriptor under a poll handle of Node's loop, until it is ready or closed.
// A poll would tell of a connection that waits in every turn of the loop: so the first word is the
// last, and JavaScript watches again when it wants to hear more.
#include "js_listener_watch.h"

#include "loop_watch.h"
#include "memory.h"
#include "socket.h"

namespace postern {
namespace {

// One watch. It goes when the function that closes it is collected and the loop has let go of it.
class ListenerWatch {
 public:
  // Returns nullptr when the descriptor cannot be duplicated or watched.
  static ListenerWatch* Open(Napi::Env env, int fd, const Napi::Function& ready) {
    const int copy = sockets::DuplicateListener(fd);
    if (copy < 0) return nullptr;
    auto* self = new ListenerWatch(env, copy, ready);
    self->watch_ = LoopWatch::Open(
        env, copy, self, [](void* owner) { static_cast<ListenerWatch*>(owner)->Ready(); });
    if (self->watch_ == nullptr) {
      sockets::Close(copy, false);
      delete self;
      return nullptr;
    }
    self->watch_->SetReferenced(true);
    napi_add_async_cleanup_hook(env, CleanUp, self, &self->cleanup_);
    return self;
  }

  void Close() {
    if (watch_ == nullptr) return;
    LoopWatch* watch = watch_;
    watch_ = nullptr;
    watch->Close([](void* owner) {
      auto* self = static_cast<ListenerWatch*>(owner);
      sockets::Close(self->fd_, false);
      self->ready_.Reset();
      if (self->cleanup_ != nullptr) napi_remove_async_cleanup_hook(self->cleanup_);
      self->cleanup_ = nullptr;
      self->is_closed_ = true;
      self->DeleteIfDone();
    });
  }

  // JavaScript has forgotten it; a watch that runs goes on.
  void Forget() {
    is_forgotten_ = true;
    DeleteIfDone();
  }

 private:
  ListenerWatch(Napi::Env env, int fd, const Napi::Function& ready)
      : env_(env), fd_(fd), ready_(Napi::Persistent(ready)), context_(env, "POSTERN_LISTENER") {}

  void Ready() {
    if (watch_ == nullptr) return;
    Close();
    const Napi::HandleScope scope(env_);
    napi_value result = nullptr;
    const napi_status status =
        napi_make_callback(env_, context_, env_.Global(), ready_.Value(), 0, nullptr, &result);
    if (status == napi_pending_exception) {
      napi_value error = nullptr;
      napi_get_and_clear_last_exception(env_, &error);
      napi_fatal_exception(env_, error);
    }
  }

  void DeleteIfDone() {
    if (is_closed_ && is_forgotten_) delete this;
  }

  // The environment ends: it goes on when napi_remove_async_cleanup_hook is called.
  static void CleanUp(napi_async_cleanup_hook_handle /*handle*/, void* self) {
    static_cast<ListenerWatch*>(self)->Close();
  }

  Napi::Env env_;
  int fd_;
  Napi::FunctionReference ready_;
  Napi::AsyncContext context_;
  LoopWatch* watch_ = nullptr;
  napi_async_cleanup_hook_handle cleanup_ = nullptr;
  bool is_closed_ = false;
  bool is_forgotten_ = false;
};

// close()
napi_value JS_CloseWatch(napi_env env, napi_callback_info info) {
  void* data = nullptr;
  napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
  static_cast<ListenerWatch*>(data)->Close();
  return nullptr;
}

// watchListener(fd, ready) → close. Throws a TypeError for other arguments, an Error when the
// descriptor cannot be watched.
Napi::Value JS_WatchListener(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsNumber() || !info[1].IsFunction()) {
    ThrowTypeError(env, "watchListener takes a descriptor and a function");
    return env.Undefined();
  }
  auto* watch = ListenerWatch::Open(env, info[0].As<Napi::Number>().Int32Value(),
                                    info[1].As<Napi::Function>());
  if (watch == nullptr) {
    Napi::Error::New(env, "the descriptor cannot be watched").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  napi_value close = nullptr;
  napi_create_function(env, "close", NAPI_AUTO_LENGTH, JS_CloseWatch, watch, &close);
  const auto forget = [](napi_env /*env*/, void* data, void* /*hint*/) {
    static_cast<ListenerWatch*>(data)->Forget();
  };
  napi_add_finalizer(env, close, watch, forget, nullptr, nullptr);
  return Napi::Value(env, close);
}

}  // namespace

void DefineListenerWatch(Napi::Env env, Napi::Object exports) {
  exports.Set("watchListener", Napi::Function::New<JS_WatchListener>(env, "watchListener"));
}

}  // namespace postern

// One descriptor watched by Node's own event loop, as a libuv poll handle.
// It reads nothing; whoever owns it is told that the descriptor is ready. libuv's functions are
// declared by hand in loop_watch.cc, since node-api-headers has no uv.h.
#ifndef POSTERN_BINDING_LOOP_WATCH_H_
#define POSTERN_BINDING_LOOP_WATCH_H_

#include <node_api.h>

namespace postern {

// Lives on the heap until Close() has run its course; made by Open() and never deleted by hand.
class LoopWatch {
 public:
  using Ready = void (*)(void* owner);
  using Closed = void (*)(void* owner);

  // Watches `fd` for reading from now on, without keeping the loop alive. Returns nullptr when the
  // loop does not take it. `ready` is called once a turn of the loop in which there is something.
  static LoopWatch* Open(napi_env env, int fd, void* owner, Ready ready);

  // Shall the loop go on for this descriptor?
  void SetReferenced(bool referenced);

  // Ends the watch; `closed` is called in a later turn, then the watch is gone. The descriptor may
  // be closed at once.
  void Close(Closed closed);

 private:
  LoopWatch() = default;

  void* handle_ = nullptr;
  void* owner_ = nullptr;
  Ready ready_ = nullptr;
  Closed closed_ = nullptr;
};

}  // namespace postern

#endif  // POSTERN_BINDING_LOOP_WATCH_H_

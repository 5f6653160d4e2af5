// One connection of the closed loop: connect, send, check the answer, begin the next request at
// once. It is opened anew when its protocol or the options say so; when to stop, the tally says.
#ifndef POSTERN_LOADGEN_CONNECTION_H_
#define POSTERN_LOADGEN_CONNECTION_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "options.h"
#include "outbox.h"
#include "protocol.h"
#include "server_address.h"
#include "tally.h"

namespace postern::loadgen {

class Connection;

// A request that may begin when its turn comes.
struct Resting {
  Connection* connection;
  uint32_t id;
};

// What all connections of a run share.
struct Surroundings {
  const Options& options;
  const ServerAddress address;
  Protocol& protocol;
  Tally& tally;
  const int epoll;
  std::vector<char> buffer;          // Each read goes here.
  std::vector<Connection*> waiting;  // Those that could not connect, to be tried again.
  std::deque<Resting> resting;       // --rate: requests that are not due yet, in their order.
};

class Connection : private ResponseEvents {
 public:
  explicit Connection(Surroundings& surroundings);
  ~Connection() override;

  // Connects, unless nothing is left to begin. False: it is among the waiting now.
  bool Open();
  // epoll has something to say about it.
  void OnReady(uint32_t events);
  // Begins a resting request that was due at this moment; false: it rests no more.
  bool BeginDue(uint32_t id, uint64_t due_ns);
  // Gives up requests that began before this moment.
  void OnDeadline(uint64_t began_before_ns);
  bool is_open() const { return state_ == State::kOpen; }

 private:
  enum class State { kNew, kWaiting, kConnecting, kOpen, kClosed };
  struct Slot {
    bool active = false;
    bool rests = false;
    uint64_t began_ns = 0;
    uint64_t body_bytes = 0;
    bool is_text_right = true;
  };

  void OnBody(uint32_t id, const char* data, size_t length) override;
  void OnEnd(uint32_t id, uint32_t status, int64_t content_length, bool keeps) override;
  void OnSend(const Piece& piece) override { outbox_.Add(piece); }
  void OnBroken(const char* what) override { wrong_ = what; }

  void OnConnected();
  void BeginAll(uint64_t now_ns);
  // Begins a request, or lets it rest until it is due.
  void Begin(uint32_t id, uint64_t now_ns);
  void BeginNow(uint32_t id, uint64_t now_ns);
  // True: there may be more to read.
  bool ReadOnce();
  void Take(size_t length);
  void OnEof();
  void Flush();
  void Watch(bool writable);
  void Fail(const std::string& what);
  void Reopen();
  void Close();
  uint64_t active() const;

  Surroundings& at_;
  std::unique_ptr<ResponseReader> reader_;
  Outbox outbox_;
  std::vector<Slot> slots_;      // By id; 0 is nobody.
  std::vector<uint32_t> ended_;  // Ids whose answers were in this read.
  std::string rest_;             // Bytes that the reader could not use yet.
  std::string wrong_;            // What is wrong with what was read.
  State state_ = State::kNew;
  int fd_ = -1;
  uint64_t opened_ns_ = 0;
  uint64_t now_ns_ = 0;    // When the bytes being read arrived.
  uint64_t answers_ = 0;   // On this socket.
  uint64_t begin_left_;    // Requests that this connection may still begin.
  bool has_part_ = false;  // Some of an answer has arrived on this socket since the last one ended.
  bool keeps_ = true;
  bool watches_writable_ = false;
  bool served_ = false;
};

}  // namespace postern::loadgen

#endif  // POSTERN_LOADGEN_CONNECTION_H_

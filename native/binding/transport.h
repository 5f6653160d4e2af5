// The native transport: it moves the bytes of one listening socket's connections, and decides
// nothing.
//
// An epoll set of its own holds all descriptors; Node's loop watches that set alone, and wakes
// TypeScript once a turn. TypeScript then calls Poll() until it says that there is no more: each
// call accepts, reads into the ring and decodes, and leaves rows of many connections in the tables.
// Responses are written at once; what the kernel does not take is kept and reported as drained
// later. Row kinds of its own are in core/abi.h. Linux. Twin of what it serves:
// src/connection/native-hub.ts.
#ifndef POSTERN_BINDING_TRANSPORT_H_
#define POSTERN_BINDING_TRANSPORT_H_

#include <napi.h>
#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "connection.h"
#include "landing.h"
#include "loop_watch.h"
#include "memory.h"

namespace postern {

class Transport {
 public:
  // What a connection's first byte says: 0 nothing that is served, a ProtocolNumber, or kHttp.
  using ProtocolByByte = std::array<uint8_t, 256>;

  Transport(napi_env env, std::shared_ptr<Memory> memory, const DecoderOptions& options,
            const ProtocolByByte& protocols);
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // Opens the epoll set and has the loop watch it. `turn` is called with `context` once a turn.
  // Returns 0, or the errno of what failed.
  int Open(LoopWatch::Ready turn, void* context);

  // Accepts from a duplicate of this listening descriptor, which other processes may have as well.
  // Returns 0 or errno.
  int Listen(int fd, bool shared);
  // Stops accepting for good and closes the duplicate.
  void Unlisten();
  // Accepts again, after descriptors had run out.
  void AcceptAgain();
  void SetReferenced(bool referenced) { watch_->SetReferenced(referenced); }
  // Closes every descriptor; `closed` is called with the context of Open() when the loop has let
  // go.
  void Close(LoopWatch::Closed closed);

  // A turn of the loop begins, or has ended.
  void BeginTurn();
  void EndTurn();
  // Does a part of the turn's work; rows are in the tables. Returns how many; StateCell::kMore says
  // whether there is more to be done.
  uint32_t Poll();
  // Takes memory that bodies are read to, as StateCell::kPieceWanted asked. Returns false for what
  // is no Uint8Array.
  bool Land(napi_value piece);
  // Decodes what a connection held back. As Poll(), for this connection alone.
  uint32_t DecodeHeld(Connection& connection);

  Connection* Find(uint32_t id) const { return connections_.Find(id); }
  Memory& memory() { return *memory_; }
  napi_env env() const { return env_; }

  // Writes pieces, or queues what is not taken. `owners` holds for each piece the JavaScript value
  // that keeps it, or nullptr for bytes that have to be copied. Returns bytes queued now.
  uint64_t Send(Connection& connection, const iovec* pieces, const napi_value* owners,
                size_t count);
  void SetReading(Connection& connection, bool reading);
  // From now on what comes is thrown away and only counted.
  void Drop(Connection& connection);
  // Ends our side once everything is written; the whole connection where the peer's side has ended
  // too or, if `quiet`, has nothing more to say. Returns whether that has closed it now.
  bool Finish(Connection& connection, bool quiet);
  void CloseNow(Connection& connection, bool reset);
  // As CloseNow, once everything is written. Returns whether that was now.
  bool CloseWhenSent(Connection& connection);
  // Gives the descriptor away: it is the caller's to close.
  int Release(Connection& connection);
  // Is it between two requests, with nothing held back and nothing queued, and neither side ended?
  static bool IsMovable(const Connection& connection);
  // Takes over a connected socket, or a duplicate of it. Returns the connection, or nullptr and an
  // errno; then the descriptor is still the caller's.
  Connection* Adopt(int fd, bool duplicate, int& error);

 private:
  void HandleEvents(Connection& connection, uint32_t events);
  void Accept();
  void Read(Connection& connection, uint32_t events);
  bool ReadBody(Connection& connection, uint32_t events);
  bool Came(Connection& connection, int64_t count, uint32_t events);
  void ReadAgain();
  void Take(Connection& connection, uint32_t start, uint32_t end);
  bool TakeFirst(Connection& connection, uint32_t start, uint32_t end);
  void Decode(Connection& connection, uint32_t start, uint32_t end);
  void FlushOutput(Connection& connection);
  bool FinishNow(Connection& connection);
  void Gone(Connection& connection, int error);
  void Lose(Connection& connection);
  void Row(int32_t kind, const Connection& connection, uint32_t start, uint32_t length,
           uint32_t detail);
  void Register(Connection& connection);
  void UpdateInterest(Connection& connection);
  void Remove(Connection& connection);
  bool HasRoom(const Connection* connection) const;
  static uint32_t Interest(const Connection& connection);

  napi_env env_;
  std::shared_ptr<Memory> memory_;
  DecoderOptions options_;
  ProtocolByByte protocols_;
  uint32_t field_rows_max_;
  int epoll_ = -1;
  int listener_ = -1;
  bool shared_ = false;
  LoopWatch* watch_ = nullptr;
  ConnectionTable connections_;
  // Accepted in this turn and not in the epoll set.
  std::vector<uint32_t> fresh_;
  // Broken without an event that would tell of it.
  std::vector<uint32_t> lost_;
  // Read in this turn, with more to be read.
  std::vector<uint32_t> again_;
  int rounds_ = 0;
  std::array<epoll_event, 256> events_;
  int event_count_ = 0;
  int event_index_ = 0;
  bool waited_ = false;
  // Where the next read goes in the ring.
  uint32_t read_at_ = 0;
  Landing landing_;
  // Calls of Poll(), ever, and the one that asked for a piece that has not come; 0: none.
  uint64_t polls_ = 0;
  uint64_t wanted_in_ = 0;
  // A connection whose rows did not all fit; its bytes are in its remainder.
  uint32_t unfinished_ = 0;
  bool has_unfinished_ = false;
};

}  // namespace postern

#endif  // POSTERN_BINDING_TRANSPORT_H_

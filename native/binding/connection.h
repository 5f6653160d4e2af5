// One accepted descriptor of the native transport: its decoder, what it has read of an unfinished
// frame, what it could not write yet, and which events it waits for.
// Plain facts; what is done with them is transport.cc's.
#ifndef POSTERN_BINDING_CONNECTION_H_
#define POSTERN_BINDING_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "decoder.h"
#include "output_queue.h"
#include "socket.h"

namespace postern {

struct Connection {
  int fd = -1;
  // Index in the table and generation: a late word never hits a descriptor that is used again.
  uint32_t id = 0;
  // Events that the epoll set waits for.
  uint32_t interest = 0;
  // Is it in the epoll set? A connection that is over within the turn that accepted it never is.
  bool registered = false;
  bool reading = true;
  // What comes is thrown away: the connection is closing.
  bool dropping = false;
  // Our side ends once everything is written; the peer's, too, if that has nothing more to say.
  bool finishing = false;
  bool quiet = false;
  // The descriptor is closed once everything is written.
  bool closing = false;
  // The peer's side has ended.
  bool input_ended = false;
  // While reading was paused, TypeScript was told that the peer has ended its side.
  bool hangup_told = false;
  // A write has failed.
  bool failed = false;
  sockets::PeerAddress peer;
  // From the first byte on.
  std::unique_ptr<Decoder> decoder;
  // Bytes of a frame that is not whole yet, or that wait for our answer to an upgrade.
  std::vector<uint8_t> remainder;
  // While the kernel has not taken everything.
  std::unique_ptr<OutputQueue> output;
  // Bytes that the kernel has taken, ever.
  uint64_t written_bytes = 0;

  // A request has ended: an idle connection holds no memory for frames.
  void Settle() {
    if (remainder.empty() && remainder.capacity() > 0) std::vector<uint8_t>().swap(remainder);
  }

  uint64_t queued_bytes() const { return output ? output->bytes() : 0; }
};

// Connections by id: 20 bits of index, 12 of generation.
class ConnectionTable {
 public:
  // The connection with this id, or nullptr when it is gone.
  Connection* Find(uint32_t id) const {
    const uint32_t index = id & kIndexMask;
    if (index >= connections_.size()) return nullptr;
    Connection* connection = connections_[index].get();
    return connection != nullptr && connection->id == id ? connection : nullptr;
  }

  // Adds one; nullptr when there are as many as can be numbered.
  Connection* Add(int fd) {
    uint32_t index = static_cast<uint32_t>(connections_.size());
    if (!free_.empty()) {
      index = free_.back();
      free_.pop_back();
    } else if (index > kIndexMask) {
      return nullptr;
    } else {
      connections_.emplace_back();
      generations_.push_back(0);
    }
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    connection->id = index | (uint32_t{generations_[index]} << kIndexBits);
    connections_[index] = std::move(connection);
    return connections_[index].get();
  }

  // Forgets one; its descriptor is the caller's.
  void Remove(const Connection& connection) {
    const uint32_t index = connection.id & kIndexMask;
    generations_[index]++;
    connections_[index].reset();
    free_.push_back(index);
  }

  // Calls `visit` for each connection; it may remove that one.
  template <typename Visit>
  void Each(Visit visit) {
    for (size_t i = 0; i < connections_.size(); i++) {
      if (connections_[i]) visit(*connections_[i]);
    }
  }

 private:
  static constexpr uint32_t kIndexBits = 20;
  static constexpr uint32_t kIndexMask = (1u << kIndexBits) - 1;

  std::vector<std::unique_ptr<Connection>> connections_;
  // Wraps after 65,536 lives of an index, of which 12 bits are in the id.
  std::vector<uint16_t> generations_;
  std::vector<uint32_t> free_;
};

}  // namespace postern

#endif  // POSTERN_BINDING_CONNECTION_H_

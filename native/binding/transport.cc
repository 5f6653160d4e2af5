// Turns, accepting, reading and decoding; writing and closing are in transport_output.cc.
// Level-triggered: what is left unread is told again in the next turn. epoll(7).
#include "transport.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "socket.h"

namespace postern {
namespace {

// The listening socket's mark among the ids of the epoll set.
constexpr uint64_t kListenerMark = UINT64_MAX;
// Connections accepted in one turn: more would keep those that are open waiting.
constexpr int kAcceptsPerTurn = 64;
// Bytes of one read: what libuv reads at once, too.
constexpr uint32_t kReadBytes = 65'536;
// Reads of one connection in one turn.
constexpr int kReadsPerTurn = 8;
// Largest frame that can be unfinished: 8 + 65,535 + 255 bytes of a FastCGI record, rounded up.
constexpr uint32_t kUnfinishedBytesMax = 67'584;
// Event rows that a connection may need at once, beside those for which decoders stop themselves.
constexpr uint32_t kEventRowsReserve = 16;

}  // namespace

Transport::Transport(napi_env env, std::shared_ptr<Memory> memory, const DecoderOptions& options,
                     const ProtocolByByte& protocols)
    : env_(env),
      memory_(std::move(memory)),
      options_(options),
      protocols_(protocols),
      field_rows_max_(static_cast<uint32_t>(
          std::min<uint64_t>(options.field_count, memory_->rows.field_limit()) + kFieldRowsExtra)) {
  options_.streams_bodies = true;
}

Transport::~Transport() = default;

int Transport::Open(LoopWatch::Ready turn, void* context) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return errno;
  watch_ = LoopWatch::Open(env_, epoll_, context, turn);
  return watch_ == nullptr ? ENOSYS : 0;
}

int Transport::Listen(int fd, bool shared) {
  shared_ = shared;
  const int copy = sockets::DuplicateListener(fd);
  if (copy < 0) return -copy;
  listener_ = copy;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kListenerMark;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) < 0 ? errno : 0;
}

void Transport::Unlisten() {
  if (listener_ < 0) return;
  // Closed alone it would stay in the set, and wake us, as long as another process has it open.
  epoll_ctl(epoll_, EPOLL_CTL_DEL, listener_, nullptr);
  close(listener_);
  listener_ = -1;
}

void Transport::AcceptAgain() {
  if (listener_ < 0) return;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = kListenerMark;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_, &event);
}

void Transport::Close(LoopWatch::Closed closed) {
  Unlisten();
  connections_.Each([this](Connection& connection) { CloseNow(connection, false); });
  watch_->Close(closed);
  close(epoll_);
  epoll_ = -1;
}

void Transport::BeginTurn() {
  waited_ = false;
  event_index_ = 0;
  event_count_ = 0;
  again_.clear();
  rounds_ = 1;
}

void Transport::EndTurn() {
  for (const uint32_t id : fresh_) {
    Connection* connection = Find(id);
    if (connection != nullptr && !connection->registered) Register(*connection);
  }
  fresh_.clear();
}

uint32_t Transport::Poll() {
  polls_++;
  RowWriter& rows = memory_->rows;
  rows.Begin();
  read_at_ = 0;
  if (has_unfinished_) {
    Connection* connection = Find(unfinished_);
    has_unfinished_ = false;
    if (connection != nullptr) Take(*connection, 0, 0);
  }
  // As many as there is room for: a turn can lose more connections than the table has rows.
  while (!lost_.empty() && rows.HasRoom(kEventRowsReserve, 0)) {
    Connection* connection = Find(lost_.back());
    lost_.pop_back();
    if (connection != nullptr) Gone(*connection, EPIPE);
  }
  if (!waited_) {
    waited_ = true;
    event_count_ = epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), 0);
  }
  if (!again_.empty() && rounds_ < kReadsPerTurn) ReadAgain();
  while (event_index_ < event_count_ && !has_unfinished_) {
    const epoll_event& event = events_[static_cast<size_t>(event_index_)];
    Connection* connection = nullptr;
    if (event.data.u64 != kListenerMark) {
      connection = Find(static_cast<uint32_t>(event.data.u64));
      if (connection != nullptr && !HasRoom(connection)) break;
    } else if (!HasRoom(nullptr)) {
      break;
    }
    event_index_++;
    if (event.data.u64 == kListenerMark) {
      Accept();
    } else if (connection != nullptr) {
      HandleEvents(*connection, event.events);
    }
  }
  const bool again = !lost_.empty() || (!again_.empty() && rounds_ < kReadsPerTurn);
  return rows.End(0, event_index_ < event_count_ || has_unfinished_ || again);
}

// Those that had more than one read could take, as long as TypeScript wants it.
void Transport::ReadAgain() {
  rounds_++;
  for (const uint32_t id : std::exchange(again_, {})) {
    Connection* connection = Find(id);
    if (connection == nullptr || !connection->reading || connection->input_ended) continue;
    // Else the next turn does it.
    if (!has_unfinished_ && HasRoom(connection)) Read(*connection, 0);
  }
}

uint32_t Transport::DecodeHeld(Connection& connection) {
  RowWriter& rows = memory_->rows;
  rows.Begin();
  read_at_ = 0;
  has_unfinished_ = false;
  if (!connection.remainder.empty()) Take(connection, 0, 0);
  const bool more = std::exchange(has_unfinished_, false);
  return rows.End(0, more);
}

// Is there room for another read, of this connection or of one to be accepted, and for its rows?
bool Transport::HasRoom(const Connection* connection) const {
  const uint32_t held =
      connection == nullptr ? 0 : static_cast<uint32_t>(connection->remainder.size());
  const RowWriter& rows = memory_->rows;
  return memory_->ring.read_end - read_at_ >= held + kReadBytes && rows.head_bytes() == 0 &&
         rows.HasRoom(kEventRowsReserve, field_rows_max_);
}

void Transport::Row(int32_t kind, const Connection& connection, uint32_t start, uint32_t length,
                    uint32_t detail) {
  memory_->rows.SetConnection(connection.id);
  memory_->rows.Event(kind, 0, start, length, detail);
}

void Transport::Accept() {
  for (int i = 0; i < kAcceptsPerTurn && listener_ >= 0 && !has_unfinished_; i++) {
    if (!HasRoom(nullptr)) return;
    sockets::PeerAddress peer;
    if (shared_) sockets::MakeNonBlocking(listener_);
    const int fd = sockets::Accept(listener_, peer);
    if (fd == -ECONNABORTED) continue;
    if (fd == -EAGAIN) return;
    Connection* connection = fd < 0 ? nullptr : connections_.Add(fd);
    if (connection == nullptr) {
      if (fd >= 0) close(fd);
      // Descriptors or memory have run out: those who wait keep waiting until AcceptAgain().
      epoll_event event{};
      event.data.u64 = kListenerMark;
      epoll_ctl(epoll_, EPOLL_CTL_MOD, listener_, &event);
      memory_->rows.SetConnection(0);
      memory_->rows.Event(TransportRow::kAcceptFailed, 0, 0, 0, static_cast<uint32_t>(-fd));
      return;
    }
    connection->peer = peer;
    fresh_.push_back(connection->id);
    Row(TransportRow::kOpen, *connection, 0, 0, 0);
    Read(*connection, 0);
  }
}

void Transport::HandleEvents(Connection& connection, uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    const uint32_t id = connection.id;
    FlushOutput(connection);
    if (Find(id) == nullptr) return;
  }
  constexpr uint32_t kBroken = EPOLLHUP | EPOLLERR;
  if (connection.reading && !connection.input_ended) {
    if ((events & (EPOLLIN | EPOLLRDHUP | kBroken)) != 0) Read(connection, events);
  } else if ((events & kBroken) != 0) {
    Gone(connection, 0);
  } else if ((events & EPOLLRDHUP) != 0 && !connection.hangup_told) {
    // Bytes in front of the peer's end may still be unread.
    connection.hangup_told = true;
    UpdateInterest(connection);
    Row(TransportRow::kEnded, connection, 0, 0, EndedDetail::kUnread);
  }
}

void Transport::Read(Connection& connection, uint32_t events) {
  if (ReadBody(connection, events)) return;
  // What is unfinished comes in front of the new bytes.
  const uint32_t held = static_cast<uint32_t>(connection.remainder.size());
  const uint32_t at = read_at_ + held;
  uint8_t* target = memory_->ring.bytes.Space(at, kReadBytes);
  const int64_t count = sockets::Read(connection.fd, target, kReadBytes);
  if (!Came(connection, count, events)) return;
  const uint32_t bytes = static_cast<uint32_t>(count);
  // TypeScript may want to pause first.
  if (bytes == kReadBytes) again_.push_back(connection.id);
  if (connection.dropping) {
    Row(TransportRow::kDropped, connection, 0, bytes, 0);
  } else {
    Take(connection, read_at_, at + bytes);
  }
}

// What a read said. Returns whether there are bytes.
bool Transport::Came(Connection& connection, int64_t count, uint32_t events) {
  if (count > 0) return true;
  if (count == -EAGAIN) return false;
  if (count < 0) {
    Gone(connection, static_cast<int>(-count));
    return false;
  }
  connection.input_ended = true;
  UpdateInterest(connection);
  const bool closed = (events & EPOLLHUP) != 0;
  Row(TransportRow::kEnded, connection, 0, 0, closed ? EndedDetail::kClosed : EndedDetail::kHalf);
  return false;
}

// Decodes ring bytes [start + remainder, end), after the remainder that is put in front of them.
// Precondition: there is room for both; `start` is read_at_. `end` 0: the remainder alone.
void Transport::Take(Connection& connection, uint32_t start, uint32_t end) {
  // Its memory stays for the next unfinished frame of this body; Settle() gives it back.
  std::vector<uint8_t>& held = connection.remainder;
  const uint32_t length = static_cast<uint32_t>(held.size());
  memory_->ring.bytes.Write(start, held.data(), length);
  held.clear();
  const uint32_t last = end == 0 ? start + length : end;
  read_at_ = last;
  if (connection.decoder == nullptr && !TakeFirst(connection, start, last)) return;
  Decode(connection, start, last);
}

// The first bytes of a connection: which protocol is it? Returns whether there is one to decode.
bool Transport::TakeFirst(Connection& connection, uint32_t start, uint32_t end) {
  const uint32_t protocol = protocols_[memory_->ring.bytes.U8(start)];
  Row(TransportRow::kSpeaks, connection, start, end - start, protocol);
  connection.decoder = MakeDecoder(protocol, *memory_, options_);
  if (connection.decoder != nullptr) return true;
  // HTTP, or nothing that is served: TypeScript takes it from here.
  connection.reading = false;
  return false;
}

void Transport::Decode(Connection& connection, uint32_t start, uint32_t end) {
  RowWriter& rows = memory_->rows;
  rows.SetConnection(connection.id);
  connection.decoder->Decode(start, end);
  const uint32_t consumed = rows.consumed();
  if (consumed < end) {
    const uint8_t* rest = memory_->ring.bytes.Range(consumed, end - consumed);
    // SAFETY: Range() checked both ends.
    connection.remainder.assign(rest, rest + (end - consumed));
  }
  if (rows.more()) {
    unfinished_ = connection.id;
    has_unfinished_ = true;
  } else if (connection.remainder.size() > kUnfinishedBytesMax) {
    // No frame is that long: they wait for the answer to an upgrade.
    Row(TransportRow::kHeld, connection, 0, 0, 0);
  }
}

}  // namespace postern

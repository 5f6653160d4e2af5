// Requests begin only after everything that was read is digested, so that a byte behind an answer
// is seen as one too many.
#include "connection.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace postern::loadgen {
namespace {

constexpr size_t kReadBytes = 262144;
constexpr size_t kStretchesMax = 16;
constexpr uint64_t kErrorsMax = 100;

}  // namespace

Connection::Connection(Surroundings& surroundings)
    : at_(surroundings),
      slots_(surroundings.options.ids + 1),
      begin_left_(surroundings.options.once ? 1 : kUnlimited) {}

Connection::~Connection() {
  Close();
}

bool Connection::Open() {
  if (at_.tally.begin_left == 0 || begin_left_ == 0) {
    state_ = State::kClosed;
    return true;
  }
  // A connection that has to wait for the queue has been waiting since the first try.
  if (state_ != State::kWaiting) opened_ns_ = NowNanoseconds();
  bool connected = false;
  fd_ = BeginConnecting(at_.address, connected);
  if (fd_ < 0) {
    const int error = errno;
    state_ = State::kWaiting;
    at_.waiting.push_back(this);
    if (error != EAGAIN) at_.tally.Error(std::string("connect: ") + std::strerror(error), 1);
    if (at_.tally.errors >= kErrorsMax) at_.tally.begin_left = 0;
    return false;
  }
  at_.tally.connects++;
  reader_ = at_.protocol.CreateReader();
  state_ = State::kConnecting;
  answers_ = 0;
  has_part_ = false;
  keeps_ = true;
  epoll_event event{};
  event.events = connected ? EPOLLIN : EPOLLIN | EPOLLOUT;
  event.data.ptr = this;
  watches_writable_ = !connected;
  epoll_ctl(at_.epoll, EPOLL_CTL_ADD, fd_, &event);
  if (connected) OnConnected();
  return true;
}

void Connection::OnConnected() {
  state_ = State::kOpen;
  BeginAll(opened_ns_);
  Flush();
}

void Connection::BeginAll(uint64_t now_ns) {
  for (uint32_t id = 1; id < slots_.size(); id++) Begin(id, now_ns);
}

void Connection::Begin(uint32_t id, uint64_t now_ns) {
  if (at_.tally.begin_left == 0 || begin_left_ == 0) return;
  if (at_.options.rate > 0) {
    slots_[id] = {false, true, 0, 0, true};
    at_.resting.push_back({this, id});
  } else {
    BeginNow(id, now_ns);
  }
}

bool Connection::BeginDue(uint32_t id, uint64_t due_ns) {
  // Its connection was closed meanwhile, and perhaps opened again.
  if (state_ != State::kOpen || !slots_[id].rests) return false;
  BeginNow(id, due_ns);
  Flush();
  return true;
}

void Connection::BeginNow(uint32_t id, uint64_t now_ns) {
  if (at_.tally.begin_left != kUnlimited) at_.tally.begin_left--;
  if (begin_left_ != kUnlimited) begin_left_--;
  at_.tally.active++;
  slots_[id] = {true, false, now_ns, 0, true};
  reader_->Begin(id);
  outbox_.Add(at_.protocol.RequestOf(id));
}

void Connection::OnReady(uint32_t events) {
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return Fail(std::string("connect: ") + std::strerror(error));
    return OnConnected();
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    while (state_ == State::kOpen && ReadOnce()) continue;
  }
  if (state_ == State::kOpen && (events & EPOLLOUT) != 0) Flush();
}

bool Connection::ReadOnce() {
  // What the last read left over goes in front.
  const size_t kept = rest_.size();
  if (at_.buffer.size() < kept + kReadBytes) at_.buffer.resize(kept + kReadBytes);
  std::memcpy(at_.buffer.data(), rest_.data(), kept);
  const ssize_t got = recv(fd_, at_.buffer.data() + kept, kReadBytes, 0);
  if (got < 0) {
    if (errno == EAGAIN) return false;
    // Whoever writes to a connection that the peer has just closed is told so by a reset.
    if (errno == ECONNRESET && answers_ > 0 && !has_part_)
      OnEof();
    else
      Fail(std::string("read: ") + std::strerror(errno));
    return false;
  }
  if (got == 0) {
    OnEof();
    return false;
  }
  const int fd = fd_;
  at_.tally.received_bytes += static_cast<uint64_t>(got);
  rest_.clear();
  now_ns_ = NowNanoseconds();
  Take(kept + static_cast<size_t>(got));
  return fd == fd_ && static_cast<size_t>(got) == kReadBytes;
}

void Connection::Take(size_t length) {
  has_part_ = true;
  const size_t used = reader_->Read(at_.buffer.data(), length, *this);
  if (!wrong_.empty()) return Fail(wrong_);
  if (used < length) {
    if (active() == 0) return Fail("bytes behind the end of the response");
    rest_.assign(at_.buffer.data() + used, length - used);
  }
  if (!ended_.empty()) has_part_ = false;
  if (!keeps_) return Reopen();
  for (const uint32_t id : ended_) Begin(id, now_ns_);
  ended_.clear();
  Flush();
}

void Connection::OnBody(uint32_t id, const char* data, size_t length) {
  Slot& slot = slots_[id];
  const std::string& text = at_.options.expected_text;
  if (!text.empty()) {
    const bool fits = slot.body_bytes + length <= text.size();
    if (!fits || std::memcmp(text.data() + slot.body_bytes, data, length) != 0) {
      slot.is_text_right = false;
    }
  }
  slot.body_bytes += length;
}

void Connection::OnEnd(uint32_t id, uint32_t status, int64_t content_length, bool keeps) {
  Slot& slot = slots_[id];
  const auto body_bytes = static_cast<int64_t>(slot.body_bytes);
  const int64_t expected = at_.options.expected_bytes;
  if (status != at_.options.expected_status) {
    wrong_ = "status " + std::to_string(status);
  } else if (expected >= 0 && body_bytes != expected) {
    wrong_ = std::to_string(body_bytes) + " bytes of body, not " + std::to_string(expected);
  } else if (content_length >= 0 && body_bytes != content_length) {
    wrong_ = std::to_string(body_bytes) + " bytes of body behind Content-Length " +
             std::to_string(content_length);
  } else if (!slot.is_text_right) {
    wrong_ = "another text";
  }
  if (!wrong_.empty()) return;
  slot.active = false;
  Tally& tally = at_.tally;
  tally.active--;
  answers_++;
  if (!served_) tally.served_connections++;
  served_ = true;
  if (tally.measuring) tally.requests++;
  if (slot.began_ns >= tally.measured_from_ns) tally.latency_ns.Add(now_ns_ - slot.began_ns);
  ended_.push_back(id);
  keeps_ = keeps_ && keeps;
}

void Connection::OnEof() {
  now_ns_ = NowNanoseconds();
  if (active() > 0 && reader_->Finish(*this)) {
    if (!wrong_.empty()) return Fail(wrong_);
    return Reopen();
  }
  if (active() == 0) return Reopen();
  // A kept connection may be closed when nobody expects it; web servers send such requests again.
  if (answers_ > 0 && !has_part_) {
    at_.tally.retries += active();
    at_.tally.active -= active();
    if (at_.tally.begin_left != kUnlimited) at_.tally.begin_left += active();
    for (Slot& slot : slots_) slot.active = false;
    return Reopen();
  }
  Fail("the connection was closed before the response was whole");
}

void Connection::OnDeadline(uint64_t began_before_ns) {
  for (const Slot& slot : slots_) {
    if (slot.active && slot.began_ns < began_before_ns) return Fail("no answer in time");
  }
  if (state_ == State::kConnecting && opened_ns_ < began_before_ns) Fail("no connection in time");
}

void Connection::Flush() {
  while (!outbox_.is_empty()) {
    msghdr message{};
    message.msg_iovlen = outbox_.Peek(message.msg_iov, kStretchesMax);
    const ssize_t sent = sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EAGAIN) break;
      // What the server said before it closed may explain why: the read shows it.
      if (errno == EPIPE || errno == ECONNRESET) break;
      return Fail(std::string("write: ") + std::strerror(errno));
    }
    at_.tally.sent_bytes += static_cast<uint64_t>(sent);
    outbox_.Drop(static_cast<size_t>(sent));
  }
  Watch(!outbox_.is_empty());
}

void Connection::Watch(bool writable) {
  if (writable == watches_writable_) return;
  watches_writable_ = writable;
  epoll_event event{};
  event.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = this;
  epoll_ctl(at_.epoll, EPOLL_CTL_MOD, fd_, &event);
}

void Connection::Fail(const std::string& what) {
  at_.tally.Error(what, std::max<uint64_t>(1, active()));
  if (at_.tally.errors >= kErrorsMax) at_.tally.begin_left = 0;
  if (at_.options.once) {
    Close();
    state_ = State::kClosed;
    return;
  }
  Reopen();
}

void Connection::Reopen() {
  Close();
  state_ = State::kClosed;
  if (at_.options.once) return;
  Open();
}

void Connection::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  at_.tally.active -= active();
  for (Slot& slot : slots_) slot = {};
  outbox_.Clear();
  ended_.clear();
  rest_.clear();
  wrong_.clear();
}

uint64_t Connection::active() const {
  uint64_t count = 0;
  for (const Slot& slot : slots_) count += slot.active ? 1 : 0;
  return count;
}

}  // namespace postern::loadgen

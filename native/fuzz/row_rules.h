// Event rows and notes in their order → a finding where no conversation can go like that: the
// grammar of src/wire/abi.ts as an automaton for each request id (reliability I-1, I-3, I-4).
// It reads no bytes and knows no protocol but by its number.
#ifndef POSTERN_FUZZ_ROW_RULES_H_
#define POSTERN_FUZZ_ROW_RULES_H_

#include <array>
#include <cstdint>
#include <vector>

#include "abi.h"
#include "finding.h"

namespace postern::fuzz {

// Where a request id stands.
enum class Phase : uint8_t { kIdle, kBegun, kHead, kBodyEnded, kDropped, kLeftover };

// The ids of one connection.
class RowRules {
 public:
  RowRules() { touched_.reserve(kRowsMax); }

  // Another connection begins.
  void Clear(uint32_t protocol, uint64_t requests_max) {
    for (const uint32_t id : touched_) ids_[id] = Id();
    touched_.clear();
    is_multiple_ = protocol == ProtocolNumber::kFastcgi;
    is_single_ = protocol == ProtocolNumber::kScgi;
    can_upgrade_ = protocol != ProtocolNumber::kAjp;
    requests_max_ = requests_max;
    active_ = 0;
    is_over_ = false;
  }

  // Requests that have begun and whose end was not noted.
  uint32_t active() const { return active_; }

  void Begin(uint32_t number) {
    Id& id = Take(number);
    Promise(id.phase == Phase::kIdle || id.phase == Phase::kLeftover, "BEGIN of an open request");
    id = Id();
    id.phase = Phase::kBegun;
    active_++;
    Promise(active_ <= requests_max_, "more requests at once than were allowed");
  }

  // `declared` is the length of the body, or −1 where it is not known.
  void Head(uint32_t number, uint32_t kind, int64_t declared) {
    Id& id = Take(number);
    Promise(id.phase == Phase::kBegun, "HEAD without its BEGIN, or twice");
    Promise(kind <= BodyKind::kUnknown, "a body of no kind");
    Promise(kind != BodyKind::kKnown || declared > 0, "a known length that is none");
    id.phase = Phase::kHead;
    id.kind = kind;
    id.declared = declared;
  }

  void Body(uint32_t number, uint32_t length) {
    Id& id = Take(number);
    Promise(length > 0, "an empty piece of body");
    Promise(id.phase == Phase::kHead || (id.is_upgraded && id.phase == Phase::kBodyEnded),
            "BODY before HEAD or after BODY_END");
    id.body += length;
    if (id.is_upgraded) return;
    Promise(id.kind != BodyKind::kNone, "BODY of a request without one");
    Promise(id.kind != BodyKind::kKnown || id.body <= static_cast<uint64_t>(id.declared),
            "more body than CONTENT_LENGTH (I-4)");
  }

  void BodyEnd(uint32_t number, uint32_t detail) {
    Id& id = Take(number);
    if (detail == 1) {
      Promise(id.phase == Phase::kLeftover, "the end of a leftover that is none");
      id.phase = Phase::kIdle;
      return;
    }
    Promise(detail == 0, "BODY_END with a detail that is none");
    Promise(id.phase == Phase::kHead || (id.is_upgraded && id.phase == Phase::kBodyEnded),
            "BODY_END before HEAD, or twice");
    id.phase = Phase::kBodyEnded;
    if (id.is_upgraded || id.kind != BodyKind::kKnown) return;
    Promise(id.body == static_cast<uint64_t>(id.declared), "BODY_END before CONTENT_LENGTH bytes");
  }

  void Data(uint32_t number) {
    const Id& id = Take(number);
    Promise(is_multiple_, "DATA where no protocol has it");
    Promise(id.phase == Phase::kHead || id.phase == Phase::kBodyEnded, "DATA of no request");
  }

  void Abort(uint32_t number) {
    Id& id = Take(number);
    Promise(IsOpen(id), "ABORT of no request");
    id.phase = Phase::kDropped;
  }

  void Control() { Promise(!is_over_, "CONTROL after the end"); }

  void ErrorRow(uint32_t number, uint32_t error) {
    Promise(!is_over_, "ERROR after the end");
    Promise(error > 0, "ERROR without a number");
    // Of the connection; and a connection that has one request only ends with it.
    if (number == 0 || !is_multiple_) {
      is_over_ = true;
      return;
    }
    Id& id = Take(number);
    const bool is_refusal = error == Error::kFcgiRole || error == Error::kFcgiCantMpx ||
                            error == Error::kFcgiOverloaded;
    if (is_refusal) {
      Promise(!IsOpen(id), "BEGIN refused of an open request");
    } else {
      Promise(IsOpen(id), "ERROR of a request that is over");
      id.phase = Phase::kDropped;
    }
  }

  // What we tell the decoder.
  void Note(uint32_t event, uint32_t number) {
    if (event == Note::kEnded && is_single_) is_over_ = true;
    Id& id = Take(is_multiple_ ? number : 1, false);
    if (event == Note::kEnded && (IsOpen(id) || id.phase == Phase::kDropped)) {
      id = Id();
      id.phase = Phase::kLeftover;
      active_--;
    } else if (event == Note::kUpgraded && can_upgrade_ &&
               (id.phase == Phase::kHead || id.phase == Phase::kBodyEnded)) {
      id.is_upgraded = true;
    }
  }

 private:
  static constexpr uint32_t kIds = 65'536;
  // Rows and notes of the longest input: a row for each byte, and some.
  static constexpr size_t kRowsMax = 140'000;

  struct Id {
    Phase phase = Phase::kIdle;
    bool is_upgraded = false;
    uint32_t kind = 0;
    int64_t declared = -1;
    uint64_t body = 0;
  };

  static bool IsOpen(const Id& id) {
    return id.phase == Phase::kBegun || id.phase == Phase::kHead || id.phase == Phase::kBodyEnded;
  }

  Id& Take(uint32_t number, bool is_row = true) {
    Promise(number < kIds, "an id of more than 16 bits");
    if (is_row) {
      Promise(!is_over_, "a row after the end");
      Promise(number > 0, "a row of a request without an id");
      Promise(is_multiple_ || number == 1, "a second request");
    }
    touched_.push_back(number);
    return ids_[number];
  }

  std::vector<Id> ids_ = std::vector<Id>(kIds);
  std::vector<uint32_t> touched_;
  bool is_multiple_ = false;
  bool is_single_ = false;
  bool can_upgrade_ = false;
  uint64_t requests_max_ = 1;
  uint32_t active_ = 0;
  bool is_over_ = false;
};

}  // namespace postern::fuzz

#endif  // POSTERN_FUZZ_ROW_RULES_H_

// Random changes and the words of each protocol: whole records and packets, lengths at the borders
// of their encoding, names that decoders know. FastCGI specification, SCGI protocol document,
// ajpv13a.
#include "mutator.h"

#include <algorithm>

#include "abi.h"
#include "fuzz_input.h"

namespace postern::fuzz {
namespace {

// Records and packets in hexadecimal digits.
const std::vector<std::string> kFastcgiWords = {
    "0101000100080000"
    "0001000000000000",
    "0101000200080000"
    "0001010000000000",
    "0101000100080000"
    "0003000000000000",
    "0101000100080000"
    "0002010000000000",
    "0104000100000000",
    "0105000100000000",
    "0108000100000000",
    "0102000100000000",
    "0109000000000000",
    "010a000000000000",
    "010b000000000000",
    "0163000000000000",
    "0105000100050300"
    "68656c6c6f"
    "000000",
    "0105000200010000"
    "78",
    "0108000100020000"
    "7878",
    "0104000100120000"
    "0e02"
    "434f4e54454e545f4c454e475448"
    "3137",
    "0104000100110000"
    "0e01"
    "434f4e54454e545f4c454e475448"
    "35",
    "0104000100140000"
    "0e8000000135"
    "434f4e54454e545f4c454e475448",
    "80000000",
    "ffffffff",
    "80000080",
    "0e02",
    "ffff",
    "0000",
    "7fff",
    "8000",
    "0001",
    "0002",
};
const std::vector<std::string> kScgiWords = {
    "434f4e54454e545f4c454e475448003000",
    "434f4e54454e545f4c454e475448003500",
    "53434749003100",
    "485454505f5550475241444500776562736f636b657400",
    "32343a",
    "3a",
    "2c",
    "00",
    "0000",
    "610000",
    "2d31",
    "30",
    "39393939393939393939393939393939",
    "434f4e54454e545f4c454e47544800",
    "485454505f484f535400",
};
const std::vector<std::string> kAjpWords = {
    "12340001"
    "0a",
    "12340000",
    "12340002"
    "0000",
    "12340007"
    "0005"
    "68656c6c6f",
    "12340003"
    "000161",
    "12340004"
    "00016100",
    "1234",
    "a008",
    "a00b",
    "a0ff",
    "000135"
    "00",
    "ffff",
    "0000"
    "00",
    "ff",
    "0b0080",
    "0b000331323800",
    "0a000161"
    "00000162"
    "00",
    "0c000173"
    "00",
    "0d00055041544348"
    "00",
    "000e436f6e74656e742d4c656e677468"
    "00",
    "00115472616e736665722d456e636f64696e67"
    "00",
};
const std::vector<uint8_t> kBytes = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 0x7f, 0x80, 0xfe, 0xff};

std::vector<Bytes> WordsOf(uint32_t protocol) {
  std::vector<std::string> texts;
  if (protocol == ProtocolNumber::kFastcgi) texts = kFastcgiWords;
  if (protocol == ProtocolNumber::kScgi) texts = kScgiWords;
  if (protocol == ProtocolNumber::kAjp) texts = kAjpWords;
  std::vector<Bytes> words;
  std::transform(texts.begin(), texts.end(), std::back_inserter(words), BytesOf);
  return words;
}

}  // namespace

Mutator::Mutator(uint32_t protocol, uint64_t seed, size_t bytes_max)
    : words_(WordsOf(protocol)), state_(seed * 2 + 1), bytes_max_(bytes_max) {}

uint64_t Mutator::Next() {
  // xorshift64*.
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545'f491'4f6c'dd1d;
}

size_t Mutator::Below(size_t count) {
  return static_cast<size_t>((Next() >> 16) % count);
}

void Mutator::Change(Bytes& input, const Bytes& other) {
  size_t times = 1;
  while (times < 8 && Below(2) == 0) times++;
  for (size_t i = 0; i < times; i++) ChangeOnce(input, other);
  if (input.size() > bytes_max_) input.resize(bytes_max_);
}

// An offset in the input: near its end as likely as anywhere.
size_t Mutator::Place(const Bytes& input) {
  const size_t size = input.size();
  if (size < 2) return 0;
  return Below(4) == 0 ? size - 1 - Below(std::min<size_t>(size, 24)) : Below(size);
}

// A stretch of bytes, mostly short.
Bytes Mutator::Piece(const Bytes& source) {
  if (source.empty()) return {};
  const size_t at = Below(source.size());
  const size_t longest = std::min(source.size() - at, Below(3) == 0 ? size_t{400} : size_t{24});
  const auto from = source.begin() + static_cast<ptrdiff_t>(at);
  return Bytes(from, from + static_cast<ptrdiff_t>(1 + Below(longest)));
}

void Mutator::Insert(Bytes& input, const Bytes& piece, size_t at) {
  input.insert(input.begin() + static_cast<ptrdiff_t>(at), piece.begin(), piece.end());
}

void Mutator::Overwrite(Bytes& input, const Bytes& piece, size_t at) {
  const size_t count = std::min(piece.size(), input.size() - at);
  std::copy_n(piece.begin(), count, input.begin() + static_cast<ptrdiff_t>(at));
}

// Options, cuts, or one note more.
void Mutator::ChangeHeader(Bytes& input) {
  while (input.size() < FuzzInput::kHeaderBytes) input.push_back(0);
  const size_t way = Below(4);
  if (way == 0) {
    input[0] ^= static_cast<uint8_t>(1u << Below(8));
  } else if (way == 1) {
    input[1] = static_cast<uint8_t>(Below(2) == 0 ? Below(2) : Below(256));
  } else if (input[2] < kNotesMax) {
    input[2]++;
    const size_t offset = Place(input);
    const Bytes note = {static_cast<uint8_t>(offset & 0xff), static_cast<uint8_t>(offset >> 8),
                        static_cast<uint8_t>(Below(3)), static_cast<uint8_t>(1 + Below(3))};
    Insert(input, note, FuzzInput::kHeaderBytes);
  }
}

void Mutator::ChangeOnce(Bytes& input, const Bytes& other) {
  if (input.empty()) input.push_back(0);
  const size_t at = Place(input);
  const auto here = input.begin() + static_cast<ptrdiff_t>(at);
  switch (Below(12)) {
    case 0:
      input[at] ^= static_cast<uint8_t>(1u << Below(8));
      break;
    case 1:
      input[at] = static_cast<uint8_t>(Below(256));
      break;
    case 2:
      input[at] = kBytes[Below(kBytes.size())];
      break;
    case 3:
      input[at] = static_cast<uint8_t>(input[at] + Below(17) - 8);
      break;
    case 4: {
      const size_t gone = std::min(1 + Below(Below(4) == 0 ? 200 : 8), input.size() - at);
      input.erase(here, here + static_cast<ptrdiff_t>(gone));
      break;
    }
    case 5:
      Insert(input, Piece(input), at);
      break;
    case 6:
      Insert(input, Piece(other), at);
      break;
    case 7:
      Overwrite(input, Piece(other), at);
      break;
    case 8:
      Insert(input, Bytes(1 + Below(16), static_cast<uint8_t>(Below(256))), at);
      break;
    case 9:
      if (!words_.empty()) Insert(input, words_[Below(words_.size())], at);
      break;
    case 10:
      if (words_.empty()) break;
      // At the end it is what comes next.
      if (Below(2) == 0)
        Insert(input, words_[Below(words_.size())], input.size());
      else
        Overwrite(input, words_[Below(words_.size())], at);
      break;
    default:
      ChangeHeader(input);
      break;
  }
}

}  // namespace postern::fuzz

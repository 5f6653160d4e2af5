// Vectors as plain text → steps for a decoder. Made by test/native, since C++ reads no JSON.
// It judges nothing. Format, one vector after the other:
//
//   vector NAME PROTOCOL OPTION… (ten numbers, as DecoderOption; inf: switched off)
//   bytes HEX          what one or more reads bring
//   note EVENT ID      what we tell the decoder
//   end
#ifndef POSTERN_TEST_VECTOR_FILE_H_
#define POSTERN_TEST_VECTOR_FILE_H_

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <istream>
#include <sstream>
#include <string>
#include <vector>

#include "decoder.h"

namespace postern::test {

// Bytes that come, or something that we tell the decoder.
struct Step {
  std::vector<uint8_t> bytes;
  uint32_t event = 0;  // 0: bytes
  uint32_t exchange_id = 0;
};

struct Vector {
  std::string name;
  uint32_t protocol = 0;
  DecoderOptions options;
  std::vector<Step> steps;
};

inline uint64_t ReadLimit(const std::string& text) {
  const double number = std::strtod(text.c_str(), nullptr);
  return std::isinf(number) ? kNoLimit : static_cast<uint64_t>(number);
}

inline DecoderOptions ReadOptions(std::istringstream& line) {
  uint64_t numbers[kDecoderOptions] = {};
  std::string word;
  for (uint64_t& number : numbers) {
    if (!(line >> word)) {
      std::fprintf(stderr, "a vector has too few options\n");
      std::exit(2);
    }
    number = ReadLimit(word);
  }
  DecoderOptions options;
  options.head_bytes = numbers[DecoderOption::kHeadBytes];
  options.field_count = numbers[DecoderOption::kFieldCount];
  options.name_bytes = numbers[DecoderOption::kNameBytes];
  options.value_bytes = numbers[DecoderOption::kValueBytes];
  options.body_bytes = numbers[DecoderOption::kBodyBytes];
  options.head_records = numbers[DecoderOption::kHeadRecords];
  options.requests_per_connection = numbers[DecoderOption::kRequestsPerConnection];
  options.ajp_packet_bytes = numbers[DecoderOption::kAjpPacketBytes];
  options.ajp_raw_body = numbers[DecoderOption::kAjpRawBody] != 0;
  options.scgi_strict = numbers[DecoderOption::kScgiStrict] != 0;
  return options;
}

inline std::vector<uint8_t> ReadHex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

// Reads the next vector. Returns false at the end of the input.
inline bool ReadVector(std::istream& input, Vector& vector) {
  vector = Vector();
  std::string text;
  while (std::getline(input, text)) {
    std::istringstream line(text);
    std::string word;
    line >> word;
    if (word == "vector") {
      line >> vector.name >> vector.protocol;
      vector.options = ReadOptions(line);
    } else if (word == "bytes") {
      line >> word;
      vector.steps.push_back({ReadHex(word), 0, 0});
    } else if (word == "note") {
      Step step;
      line >> step.event >> step.exchange_id;
      vector.steps.push_back(step);
    } else if (word == "end") {
      return true;
    }
  }
  return false;
}

}  // namespace postern::test

#endif  // POSTERN_TEST_VECTOR_FILE_H_

// A read of one byte too far behind four bytes that have to be right, one after the other: what the
// canary must find. It is no part of any other target.
#include <vector>

#include "target.h"

namespace postern::fuzz {

uint32_t PlantedMistake(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> copy(data, data + size);
  const uint8_t* bytes = copy.data();
  size_t count = size;
  // One by one, so that each right byte is a new way through the code.
  if (size > 3 && bytes[0] == 'p') {
    if (bytes[1] == 'o') {
      if (bytes[2] == 's') {
        if (bytes[3] == 't') count++;
      }
    }
  }
  uint32_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += bytes[i];
  return sum;
}

}  // namespace postern::fuzz

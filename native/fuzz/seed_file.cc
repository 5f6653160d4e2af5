// Lines ↔ inputs. Files are read and written whole.
#include "seed_file.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace postern::fuzz {

Bytes BytesOf(const std::string& hex) {
  Bytes bytes;
  bytes.reserve(hex.size() / 2);
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::strtoul(hex.substr(i, 2).c_str(), nullptr, 16)));
  }
  return bytes;
}

std::string HexOf(const Bytes& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

std::vector<Seed> ReadSeeds(const std::string& path) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "no corpus at %s\n", path.c_str());
    std::exit(2);
  }
  std::vector<Seed> seeds;
  std::string text;
  while (std::getline(file, text)) {
    if (text.empty() || text[0] == '#') continue;
    std::istringstream line(text);
    Seed seed;
    std::string hex;
    line >> seed.name >> hex;
    seed.bytes = BytesOf(hex);
    seeds.push_back(std::move(seed));
  }
  return seeds;
}

void WriteSeeds(const std::string& path, const std::vector<Seed>& seeds) {
  std::ifstream before(path);
  std::string remarks;
  std::string text;
  while (std::getline(before, text) && !text.empty() && text[0] == '#') remarks += text + "\n";
  before.close();
  std::ofstream file(path);
  file << remarks;
  for (const Seed& seed : seeds) file << seed.name << " " << HexOf(seed.bytes) << "\n";
}

}  // namespace postern::fuzz

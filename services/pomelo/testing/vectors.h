#pragma once

#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "boost/json.hpp"

namespace hubbub::pomelo {

// What the tests and fuzzers of the codec share.

// One list of testing/vectors.json, which the stock packages made.
const boost::json::array& Vectors(std::string_view list);

// The sessions of testing/pitaya_vectors.json: what Pitaya's server and client said to each other.
const boost::json::array& PitayaSessions();

std::string FromHex(std::string_view hex);
std::string ToHex(std::string_view bytes);

// The bytes of a string member that holds hexadecimal.
std::string HexMember(const boost::json::value& vector, std::string_view key);

std::string_view StringMember(const boost::json::value& vector, std::string_view key);

// A copy on the heap without a byte to spare: with ASan, reading past its end is an error.
class Tight {
 public:
  explicit Tight(std::string_view bytes)
      : bytes_(std::make_unique<char[]>(bytes.size())), size_(bytes.size()) {
    if (size_ != 0) std::memcpy(bytes_.get(), bytes.data(), size_);
  }
  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

// Equal as JSON text understands it: 1 is 1.0, whatever kind holds it.
bool SameJson(const boost::json::value& a, const boost::json::value& b);

// Up to `max_chars` characters of valid UTF-8, of every length and with what JSON escapes.
std::string RandomText(std::mt19937& random, size_t max_chars);

// Up to `max_size` bytes of anything.
std::string RandomBytes(std::mt19937& random, size_t max_size);

}  // namespace hubbub::pomelo

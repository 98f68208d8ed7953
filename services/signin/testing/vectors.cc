#include "services/signin/testing/vectors.h"

#include <fstream>
#include <iterator>

#include "services/signin/jwk.h"

namespace hubbub::signin {

const boost::json::object& Vectors() {
  static const auto* const kVectors = [] {
    std::ifstream file(HUBBUB_SIGNIN_VECTORS);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    return new boost::json::value(boost::json::parse(text));  // NOLINT: never freed.
  }();
  return kVectors->get_object();
}

std::vector<Key> VectorKeys() {
  return ParseJwks(boost::json::serialize(Vectors().at("jwks"))).value().keys;
}

std::string TextOf(const boost::json::value& vector, std::string_view member) {
  return boost::json::value_to<std::string>(vector.at({member.data(), member.size()}));
}

}  // namespace hubbub::signin

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "boost/json.hpp"
#include "services/signin/key.h"

namespace hubbub::signin {

// What the tests and the fuzzer of sign-in share: testing/vectors.json, whose tokens PyJWT made
// (testing/make_vectors.py).
const boost::json::object& Vectors();

// A moment at which its tokens are good, since 1970.
inline constexpr int64_t kNowMs = 1'700'000'000'000;

// Its keys, one for each algorithm.
std::vector<Key> VectorKeys();

std::string TextOf(const boost::json::value& vector, std::string_view member);

}  // namespace hubbub::signin

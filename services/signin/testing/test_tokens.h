#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "services/signin/token_checker.h"

namespace hubbub::signin {

// An issuer and what checks its tokens, for the tests of what demands a sign-in. Its tokens are HS256.
class TestIssuer {
 public:
  TestIssuer();

  const TokenChecker& checker() const { return *checker_; }
  // A token with these claims, a JSON object.
  static std::string Sign(std::string_view claims);
  // For this user, until an hour from now.
  static std::string TokenFor(std::string_view user);
  // The same, but taken for no longer than `ends_in_ms` from now on.
  static std::string TokenThatEnds(std::string_view user, int64_t ends_in_ms);

 private:
  std::unique_ptr<TokenChecker> checker_;
};

}  // namespace hubbub::signin

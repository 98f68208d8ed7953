#pragma once

#include <memory>
#include <string_view>

struct USpoofChecker;

namespace hubbub {

// Finds names that mix scripts so that they look like others, such as Latin "paypal" with a Cyrillic "а":
// what is not "highly restrictive" by Unicode's rules (UTS 39, 5.2), which allow one script, and the mixtures
// that Japanese, Korean and Chinese are written in with Latin. Names of one script that look like those of
// another are not found. Immutable, so thread-safe.
class ScriptCheck {
 public:
  ScriptCheck();
  ~ScriptCheck();
  ScriptCheck(const ScriptCheck&) = delete;
  ScriptCheck& operator=(const ScriptCheck&) = delete;

  // REQUIRES: IsUtf8(name).
  bool MixesScripts(std::string_view name) const;

 private:
  USpoofChecker* const checker_;
};

}  // namespace hubbub

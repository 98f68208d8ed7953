#include "services/base/script_check.h"

#include <unicode/uspoof.h>

#include <cstdint>

namespace hubbub {
namespace {

USpoofChecker* Open() {
  UErrorCode error = U_ZERO_ERROR;
  USpoofChecker* const checker = uspoof_open(&error);
  uspoof_setRestrictionLevel(checker, USPOOF_HIGHLY_RESTRICTIVE);
  uspoof_setChecks(checker, USPOOF_RESTRICTION_LEVEL, &error);
  return checker;
}

}  // namespace

ScriptCheck::ScriptCheck() : checker_(Open()) {}

ScriptCheck::~ScriptCheck() {
  uspoof_close(checker_);
}

bool ScriptCheck::MixesScripts(std::string_view name) const {
  UErrorCode error = U_ZERO_ERROR;
  const int32_t faults =
      uspoof_check2UTF8(checker_, name.data(), static_cast<int32_t>(name.size()), nullptr, &error);
  return U_FAILURE(error) || faults != 0;
}

}  // namespace hubbub

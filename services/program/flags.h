#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "absl/flags/flag.h"
#include "absl/flags/reflection.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "fmt/format.h"

namespace hubbub::program {

// Sets the program's flags (ABSL_FLAG) from its arguments, as absl::ParseCommandLine does, with two
// differences: whatever is wrong is one line and exit code 2, and --flagfile tells the file's line. --help
// and its kin print and exit. `program` is what errors are signed with, `usage` what --help shows. For the
// start of main.
void ParseFlags(std::string_view program, std::string_view usage, int argc, char** argv);

// The same without the exit, and without --help. INVALID_ARGUMENT says which argument is wrong and why. A
// flag of --flagfile is as if it stood in its place.
absl::Status SetFlags(int argc, char** argv);

// A flag's value as it is written.
inline std::string FlagText(int64_t value) {
  return std::to_string(value);
}
inline std::string FlagText(absl::Duration value) {
  return absl::FormatDuration(value);
}

// INVALID_ARGUMENT if the flag's value is less than `least` or more than `most`.
template <typename T>
absl::Status CheckFlag(const absl::Flag<T>& flag, const T& least, const T& most) {
  const T value = absl::GetFlag(flag);
  if (value >= least && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("--{} must be from {} to {}, not {}",
                                                std::string(absl::GetFlagReflectionHandle(flag).Name()),
                                                FlagText(least), FlagText(most), FlagText(value)));
}
// Exits with the first that is not OK, as ParseFlags does.
void RequireFlags(std::string_view program, std::initializer_list<absl::Status> checks);

}  // namespace hubbub::program

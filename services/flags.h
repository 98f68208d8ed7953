#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace hubbub {

// Sets the program's flags (ABSL_FLAG) from its arguments, as absl::ParseCommandLine does, with two
// differences: whatever is wrong is one line and exit code 2, and --flagfile tells the file's line. --help
// and its kin print and exit. `program` is what errors are signed with, `usage` what --help shows. For the
// start of main.
void ParseFlags(std::string_view program, std::string_view usage, int argc, char** argv);

// The same without the exit, and without --help. INVALID_ARGUMENT says which argument is wrong and why. A
// flag of --flagfile is as if it stood in its place.
absl::Status SetFlags(int argc, char** argv);

}  // namespace hubbub

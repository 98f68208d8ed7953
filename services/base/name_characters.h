#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hubbub {

// What is wrong with the characters of a name, so that two names that look alike are one name: half of a
// sentence, such as "has a blank at its end"; nothing if all is well. A name is in Unicode's form NFC, has no
// blanks at its ends, no line or paragraph separators, no control characters and none that cannot be seen,
// but for those that hold an emoji together. REQUIRES: IsUtf8(name). Pure function, thread-safe.
std::optional<std::string> NameFault(std::string_view name);

}  // namespace hubbub

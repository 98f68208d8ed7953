#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hubbub {

// What is wrong with the characters of a name, so that two names that look alike are one name: half of a
// sentence, such as "has a blank at its end"; nothing if all is well. A name is in Unicode's form NFC. Its
// blanks are U+0020, within it, and one at a time. It has no line or paragraph separators, no control
// characters and none that cannot be seen or that fonts leave empty, but for those that change how others
// look: what holds an emoji together, where that is one that Unicode lists, makes one of a character that
// would not be shown as one, or shapes letters of Persian or of India's scripts (UAX 31, 3.1.1.1). REQUIRES:
// IsUtf8(name). Pure function, thread-safe.
std::optional<std::string> NameFault(std::string_view name);

}  // namespace hubbub

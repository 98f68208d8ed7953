#pragma once

#include <string>
#include <string_view>

namespace hubbub::client {

// Text from a client, fit for a log line or an answer: its first 64 bytes, with '?' for what is not printable
// ASCII. Pure functions, thread-safe.
std::string Printable(std::string_view text);
// The same in quotes.
std::string Quote(std::string_view text);

}  // namespace hubbub::client

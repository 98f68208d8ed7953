#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hubbub::directory {

// The 1-based lines on which the servers of one kind start, and their list.
struct KindLines {
  size_t list = 0;
  std::vector<size_t> servers;
};
// By the kind's name in the file.
using EntryLines = std::map<std::string, KindLines, std::less<>>;

// Where one environment's servers are in a servers.json, for messages about them: Boost.JSON's values do not
// know their lines. `text` should have been parsed without an error; otherwise the result ends where the
// error is. If a name stands twice, the last one counts, as in Boost.JSON's objects. A pure function.
EntryLines FindEntryLines(std::string_view text, std::string_view environment);

}  // namespace hubbub::directory

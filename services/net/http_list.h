#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "services/net/http_head.h"

namespace hubbub::net {

// Names and lists in header fields (RFC 9110, 5.1 and 5.6.1). Pure functions, thread-safe.

// True if two names are the same. Names of fields and most words in them have no case.
inline bool SameName(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

// The values of all fields of one name.
inline std::vector<std::string_view> ValuesOf(const HttpHead& head, std::string_view name) {
  std::vector<std::string_view> values;
  for (const HttpField& field : head.fields) {
    if (SameName(field.name, name)) values.push_back(field.value);
  }
  return values;
}

// Without the blanks around it (RFC 9110, 5.6.3).
inline std::string_view Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Calls `visit` with each element of a comma-separated list until it returns true. Returns whether it did.
template <typename Visit>
bool AnyElement(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view element = Trimmed(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
    if (!element.empty() && visit(element)) return true;
  }
  return false;
}

// The same for a list that may be spread over several fields of one name.
template <typename Visit>
bool AnyElement(const HttpHead& head, std::string_view name, Visit visit) {
  return std::any_of(head.fields.begin(), head.fields.end(), [&](const HttpField& field) {
    return SameName(field.name, name) && AnyElement(field.value, visit);
  });
}

// True if the list has the word `wanted`.
inline bool HasElement(const HttpHead& head, std::string_view name, std::string_view wanted) {
  return AnyElement(head, name, [&](std::string_view element) { return SameName(element, wanted); });
}

}  // namespace hubbub::net

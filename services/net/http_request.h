#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hubbub::net {

// An HTTP request as handlers get it. A value: thread-compatible.
struct HttpRequest {
  std::string method = {};                                       // As in the request line, such as "GET".
  std::string target = {};                                       // In origin form: "/path?query".
  std::vector<std::pair<std::string, std::string>> fields = {};  // Names as the client wrote them.
  std::string body = {};
  std::string peer = {};  // The client's address and port.
};

// The target of a request without its query.
inline std::string_view PathOf(std::string_view target) {
  return target.substr(0, target.find_first_of("?#"));
}

}  // namespace hubbub::net

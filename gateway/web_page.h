#pragma once

#include <string>
#include <string_view>

#include "services/net/http_response.h"

namespace hubbub::gate {

// What the client port answers to browsers. Thread-safe.

// The files of web/, which the build puts into the program, so that it needs no folder beside it. The page of
// the servers is at /servers.
net::HttpResponse ServeWebPage(std::string_view target);
// JSON that is true for a moment alone.
net::HttpResponse ServeJson(std::string json);
// Status 404.
net::HttpResponse NoSuchPage();

}  // namespace hubbub::gate

#pragma once

#include <string_view>

#include "services/net/listener.h"

namespace hubbub::gateway {

// The files of web/, which the build puts into the program, so that it needs no folder beside it.
// Thread-safe.
net::HttpResponse ServeWebPage(std::string_view target);

}  // namespace hubbub::gateway

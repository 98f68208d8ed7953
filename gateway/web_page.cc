#include "gateway/web_page.h"

#include <string>

#include "web_files.h"

namespace hubbub::gateway {
namespace {

std::string_view ContentType(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

}  // namespace

net::HttpResponse ServeWebPage(std::string_view target) {
  std::string_view name = target.substr(0, target.find_first_of("?#"));
  if (name.starts_with('/')) name.remove_prefix(1);
  if (name.empty()) name = "index.html";
  for (const WebFile& file : kWebFiles) {
    if (file.name != name) continue;
    return {.status = 200,
            .content_type = ContentType(name),
            .body = std::string(reinterpret_cast<const char*>(file.data), file.size),
            .headers = {{"Cache-Control", "no-cache"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        // The page talks to whatever connector the gate names.
                        {"Content-Security-Policy",
                         "default-src 'self'; connect-src *; frame-ancestors 'none'; base-uri 'none'"}}};
  }
  return {.status = 404, .body = "There is no such page here. The chat is at /.\n"};
}

}  // namespace hubbub::gateway

#include "gateway/web_page.h"

#include <string>
#include <utility>

#include "services/net/http_request.h"
#include "web_files.h"

namespace hubbub::gate {
namespace {

std::string_view ContentType(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

net::HttpResponse Guarded(std::string_view content_type, const char* caching) {
  return {.status = 200,
          .content_type = content_type,
          .headers = {{"Cache-Control", caching},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"}}};
}

}  // namespace

net::HttpResponse ServeWebPage(std::string_view target) {
  std::string_view name = net::PathOf(target);
  if (name.starts_with('/')) name.remove_prefix(1);
  if (name.empty()) name = "index.html";
  if (name == "servers") name = "servers.html";
  for (const WebFile& file : kWebFiles) {
    if (file.name != name) continue;
    net::HttpResponse response = Guarded(ContentType(name), "no-cache");
    response.constant_body = {reinterpret_cast<const char*>(file.data), file.size};
    response.headers.emplace_back("ETag", file.etag);
    // The page talks to whatever connector the gate names.
    response.headers.emplace_back(
        "Content-Security-Policy",
        "default-src 'self'; connect-src *; frame-ancestors 'none'; base-uri 'none'");
    return response;
  }
  return NoSuchPage();
}

net::HttpResponse ServeJson(std::string json) {
  net::HttpResponse response = Guarded("application/json", "no-store");
  response.body = std::move(json);
  return response;
}

net::HttpResponse NoSuchPage() {
  return {.status = 404, .body = "There is no such page here. The chat is at /.\n"};
}

}  // namespace hubbub::gate

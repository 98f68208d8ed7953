#include "services/net/http_router.h"

namespace hubbub::net {

HttpRouter& HttpRouter::Add(std::string path, HttpRoute route) {
  Put(pages_, std::move(path), std::move(route));
  return *this;
}

HttpRouter& HttpRouter::AddWebSocket(std::string path, WebSocketRoute route) {
  Put(web_sockets_, std::move(path), std::move(route));
  return *this;
}

const HttpRoute* HttpRouter::Find(std::string_view path) const {
  return FindIn(pages_, path);
}

const WebSocketRoute* HttpRouter::FindWebSocket(std::string_view path) const {
  return FindIn(web_sockets_, path);
}

template <typename Route>
void HttpRouter::Put(Routes<Route>& routes, std::string path, Route route) {
  for (auto& [own_path, own_route] : routes) {
    if (own_path != path) continue;
    own_route = std::move(route);
    return;
  }
  routes.emplace_back(std::move(path), std::move(route));
}

template <typename Route>
const Route* HttpRouter::FindIn(const Routes<Route>& routes, std::string_view path) {
  const std::pair<std::string, Route>* best = nullptr;
  for (const auto& entry : routes) {
    if (entry.first == path) return &entry.second;
    const bool matches = entry.first.ends_with('/') && path.starts_with(entry.first);
    if (matches && (best == nullptr || entry.first.size() > best->first.size())) best = &entry;
  }
  return best == nullptr ? nullptr : &best->second;
}

}  // namespace hubbub::net

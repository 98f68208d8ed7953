#include "services/net/http_router.h"

#include <string>

#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

// A route that answers with its name.
HttpRoute Named(const std::string& name) {
  return {.handler = [name](const HttpRequest&) { return HttpResponse{.body = name}; }};
}

// The name of the route for a path; "none" if there is none.
std::string NameAt(const HttpRouter& router, std::string_view path) {
  const HttpRoute* route = router.Find(path);
  return route == nullptr ? "none" : std::get<PageHandler>(route->handler)({}).body;
}

TEST(HttpRouter, TheVeryPathComesBeforeTheLongestBeginning) {
  HttpRouter router;
  router.Add("/a/", Named("below a")).Add("/a/b/", Named("below b")).Add("/a/b/c", Named("c"));
  router.Add("/healthz", Named("health"));
  const struct {
    const char* path;
    const char* name;
  } cases[] = {
      {"/a/", "below a"},    {"/a/x", "below a"}, {"/a/b", "below a"},    {"/a/b/", "below b"},
      {"/a/b/x", "below b"}, {"/a/b/c", "c"},     {"/a/b/cd", "below b"}, {"/a/b/c/", "below b"},
      {"/a", "none"},        {"/", "none"},       {"/healthz", "health"}, {"/healthz/", "none"},
      {"", "none"},          {"/A/", "none"},     {"//a/", "none"},
  };
  for (const auto& c : cases) EXPECT_EQ(NameAt(router, c.path), c.name) << c.path;
  router.Add("/", Named("the rest"));
  EXPECT_EQ(NameAt(router, "/"), "the rest");
  EXPECT_EQ(NameAt(router, "/healthz/"), "the rest");
  EXPECT_EQ(NameAt(router, "/a/x"), "below a");
}

TEST(HttpRouter, ALaterRouteTakesThePlaceOfAnEarlierOne) {
  HttpRouter router;
  router.Add("/a", Named("first")).Add("/a", Named("second"));
  EXPECT_EQ(NameAt(router, "/a"), "second");
}

TEST(HttpRouter, WebSocketsHaveRoutesOfTheirOwn) {
  HttpRouter router;
  router.Add("/page", Named("page"));
  EXPECT_EQ(router.FindWebSocket("/page"), nullptr);
  router.AddWebSocket("/", {.protocol = {}, .subprotocols = {"pomelo"}});
  router.AddWebSocket("/socket.io/", {.protocol = {}, .subprotocols = {"other"}});
  ASSERT_NE(router.FindWebSocket("/any/path"), nullptr);
  EXPECT_EQ(router.FindWebSocket("/any/path")->subprotocols.front(), "pomelo");
  EXPECT_EQ(router.FindWebSocket("/socket.io/")->subprotocols.front(), "other");
  EXPECT_EQ(router.Find("/socket.io/"), nullptr);
}

}  // namespace
}  // namespace hubbub::net

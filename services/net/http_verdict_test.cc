#include "services/net/http_verdict.h"

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";

HttpVerdict Judge(const std::string& request, const std::vector<std::string>& subprotocols = {"pomelo"}) {
  const auto head = ParseHead(request);
  if (!std::holds_alternative<HttpHead>(head)) {
    ADD_FAILURE() << "no head: " << std::get<HttpFault>(head).sentence;
    return HttpResponse();
  }
  static HttpRouter router;  // The verdict points into it.
  router = HttpRouter().Add("/", {.handler = [](const HttpRequest&) { return HttpResponse(); }});
  router.AddWebSocket("/", {.protocol = {}, .subprotocols = subprotocols});
  return JudgeRequest(std::get<HttpHead>(head), router);
}

// One word for a verdict: the status of a refusal, "page" and its target, or "upgrade" and its subprotocol.
std::string Word(const HttpVerdict& verdict) {
  if (const auto* refusal = std::get_if<HttpResponse>(&verdict)) return std::to_string(refusal->status);
  if (const auto* page = std::get_if<PlainRequest>(&verdict)) return "page " + page->request.target;
  return "upgrade " + std::get<UpgradeRequest>(verdict).protocol;
}

TEST(HttpVerdict, JudgesPlainRequests) {
  const struct {
    const char* what;
    std::string request;  // Without the empty line.
    const char* word;
  } cases[] = {
      {"GET", "GET /a?b HTTP/1.1\r\nHost: h\r\n", "page /a?b"},
      {"HEAD", "HEAD /a HTTP/1.1\r\nhost: h\r\n", "page /a"},
      {"no Host", "GET / HTTP/1.1\r\n", "400"},
      {"no Host in a minor version to come", "GET / HTTP/1.2\r\n", "400"},
      {"no Host in HTTP/1.0", "GET / HTTP/1.0\r\n", "page /"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n", "400"},
      {"two equal Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n", "400"},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n", "400"},
      {"two Hosts in one line", "GET / HTTP/1.1\r\nHost: a, b\r\n", "400"},
      {"two Hosts without a space", "GET / HTTP/1.1\r\nHost: a,b\r\n", "400"},
      {"an empty Host, as of a URL without authority", "GET / HTTP/1.1\r\nHost:\r\n", "page /"},
      {"a Host with a port", "GET / HTTP/1.1\r\nHost: a:3014\r\n", "page /"},
      {"a Host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n", "page /"},
      {"IPv6", "GET / HTTP/1.1\r\nHost: [::1]:3014\r\n", "page /"},
      {"IPv6 without an end", "GET / HTTP/1.1\r\nHost: [::1\r\n", "400"},
      {"IPv6 with more behind it", "GET / HTTP/1.1\r\nHost: [::1]x\r\n", "400"},
      {"no address in brackets", "GET / HTTP/1.1\r\nHost: [lobby]\r\n", "400"},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n", "400"},
      {"a Host that is a URL", "GET / HTTP/1.1\r\nHost: http://a\r\n", "400"},
      {"a Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n", "400"},
      {"a Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n", "400"},
      {"a Host with a word for a port", "GET / HTTP/1.1\r\nHost: a:b\r\n", "400"},
      {"a Host with half a percent code", "GET / HTTP/1.1\r\nHost: a%4\r\n", "400"},
      {"absolute form", "GET http://a:1/b?c HTTP/1.1\r\nHost: a:1\r\n", "page /b?c"},
      {"absolute form of another scheme", "GET WSS://a/b HTTP/1.1\r\nHost: a\r\n", "page /b"},
      {"absolute form without a path", "GET http://a HTTP/1.1\r\nHost: a\r\n", "page /"},
      {"absolute form, a query alone", "GET http://a?b HTTP/1.1\r\nHost: a\r\n", "page /?b"},
      {"absolute form wins over Host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n", "page /"},
      {"absolute form without Host", "GET http://a/ HTTP/1.1\r\n", "400"},
      {"absolute form without a host", "GET http:///b HTTP/1.1\r\nHost: a\r\n", "400"},
      {"absolute form with a user", "GET http://u@a/b HTTP/1.1\r\nHost: a\r\n", "400"},
      {"absolute form of something else", "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n", "400"},
      {"asterisk form", "GET * HTTP/1.1\r\nHost: a\r\n", "400"},
      {"authority form", "GET a:1 HTTP/1.1\r\nHost: a\r\n", "400"},
      {"POST", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n", "405"},
      {"PUT", "PUT / HTTP/1.1\r\nHost: h\r\n", "405"},
      {"DELETE", "DELETE / HTTP/1.1\r\nHost: h\r\n", "405"},
      {"PATCH", "PATCH / HTTP/1.1\r\nHost: h\r\n", "405"},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: h\r\n", "405"},
      {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\n", "405"},
      {"CONNECT", "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n", "405"},
      {"a method that nobody knows", "BREW / HTTP/1.1\r\nHost: h\r\n", "501"},
      {"methods have case", "Get / HTTP/1.1\r\nHost: h\r\n", "501"},
      {"a small body is passed over", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65536\r\n", "page /"},
      {"a large body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 65537\r\n", "413"},
      {"a body beyond all numbers",
       "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999999\r\n", "413"},
      {"a length that is no number", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n", "400"},
      {"a negative length", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n", "400"},
      {"a length with a sign", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n", "400"},
      {"an empty length", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n", "400"},
      {"two lengths", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n", "400"},
      {"two lengths in one line", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n", "400"},
      {"a wrong length of a POST too", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n", "400"},
      {"chunked", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n", "page /"},
      {"length and chunked",
       "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"chunked in HTTP/1.0", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", "400"},
      {"chunked twice", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n", "400"},
      {"chunked not last", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n", "400"},
      {"an encoding that is not chunked", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n",
       "400"},
      {"an empty encoding", "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n", "400"},
      {"an encoding that nobody knows",
       "GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", "501"},
      {"100-continue has its final answer", "GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n",
       "page /"},
      {"POST with 100-continue", "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n", "405"},
      {"another expectation", "GET / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n", "417"},
      {"one of them is another", "GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, x=y\r\n", "417"},
      {"HTTP/1.0 has no Expect", "GET / HTTP/1.0\r\nExpect: 200-ok\r\n", "page /"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const HttpVerdict verdict = Judge(c.request + "\r\n");
    EXPECT_EQ(Word(verdict), c.word);
    if (const auto* refusal = std::get_if<HttpResponse>(&verdict)) {
      EXPECT_THAT(refusal->body, ::testing::EndsWith(".\n")) << "a sentence";
      if (refusal->status == 405) {
        EXPECT_THAT(refusal->headers, Contains(Pair("Allow", "GET, HEAD")));
      }
    }
  }
}

TEST(HttpVerdict, JudgesUpgrades) {
  const std::string key = std::string("Sec-WebSocket-Key: ") + kKey + "\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string upgrade = "Upgrade: websocket\r\n";
  const std::string connection = "Connection: Upgrade\r\n";
  const struct {
    const char* what;
    std::string fields;  // Besides Host.
    const char* word;
  } cases[] = {
      {"as browsers do it", upgrade + connection + key + version, "upgrade "},
      {"any case", "UPGRADE: WebSocket\r\nconnection: uPGRADE\r\n" + key + version, "upgrade "},
      {"Firefox", upgrade + "Connection: keep-alive, Upgrade\r\n" + key + version, "upgrade "},
      {"several lines of Connection", "Connection: keep-alive\r\n" + upgrade + connection + key + version,
       "upgrade "},
      {"the other order", connection + "Connection: keep-alive\r\n" + upgrade + key + version, "upgrade "},
      {"several lines of Upgrade", "Upgrade: h2c\r\n" + upgrade + connection + key + version, "upgrade "},
      {"a list of Upgrade", "Upgrade: websocket, h2c\r\n" + connection + key + version, "upgrade "},
      {"empty elements of a list", "Upgrade: , websocket,\r\nConnection: ,,Upgrade\r\n" + key + version,
       "upgrade "},
      {"tabs and no spaces", "Upgrade: h2c,websocket\r\nConnection:keep-alive,\tUpgrade\r\n" + key + version,
       "upgrade "},
      {"another protocol", "Upgrade: h2c\r\n" + connection, "page /"},
      {"a name that only begins so", "Upgrade: websocketx\r\n" + connection, "page /"},
      {"nobody asks for it", "Accept: */*\r\n", "page /"},
      {"Upgrade without Connection", upgrade + key + version, "426"},
      {"Connection without Upgrade", connection + key + version, "426"},
      {"version 8", upgrade + connection + key + "Sec-WebSocket-Version: 8\r\n", "426"},
      {"a list of versions", upgrade + connection + key + "Sec-WebSocket-Version: 13, 8\r\n", "426"},
      {"no version", upgrade + connection + key, "426"},
      {"a version that is no number", upgrade + connection + key + "Sec-WebSocket-Version: x\r\n", "426"},
      {"no key", upgrade + connection + version, "400"},
      {"two keys", upgrade + connection + key + key + version, "400"},
      {"an empty key", upgrade + connection + "Sec-WebSocket-Key:\r\n" + version, "400"},
      {"a key of 8 bytes", upgrade + connection + "Sec-WebSocket-Key: MTIzNDU2Nzg=\r\n" + version, "400"},
      {"a key of 17 bytes",
       upgrade + connection + "Sec-WebSocket-Key: MTIzNDU2Nzg5MDEyMzQ1Njc=\r\n" + version, "400"},
      {"a key that is no base64",
       upgrade + connection + "Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!==\r\n" + version, "400"},
      {"an empty body", upgrade + connection + key + version + "Content-Length: 0\r\n", "upgrade "},
      {"a body", upgrade + connection + key + version + "Content-Length: 5\r\n", "400"},
      {"a body in chunks", upgrade + connection + key + version + "Transfer-Encoding: chunked\r\n", "400"},
      {"extensions are declined", upgrade + connection + key + version + "Sec-WebSocket-Extensions: ;;=,\r\n",
       "upgrade "},
      {"a subprotocol", upgrade + connection + key + version + "Sec-WebSocket-Protocol: pomelo\r\n",
       "upgrade pomelo"},
      {"one of a list", upgrade + connection + key + version + "Sec-WebSocket-Protocol: chat, pomelo\r\n",
       "upgrade pomelo"},
      {"one of several lines",
       upgrade + connection + key + version +
           "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: x,pomelo\r\n",
       "upgrade pomelo"},
      {"the client's order counts",
       upgrade + connection + key + version + "Sec-WebSocket-Protocol: v2, pomelo\r\n", "upgrade v2"},
      {"names of subprotocols have case",
       upgrade + connection + key + version + "Sec-WebSocket-Protocol: Pomelo\r\n", "upgrade "},
      {"none that is known", upgrade + connection + key + version + "Sec-WebSocket-Protocol: chat\r\n",
       "upgrade "},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const HttpVerdict verdict = Judge("GET / HTTP/1.1\r\nHost: h\r\n" + c.fields + "\r\n", {"pomelo", "v2"});
    EXPECT_EQ(Word(verdict), c.word);
    if (const auto* made = std::get_if<UpgradeRequest>(&verdict)) {
      EXPECT_EQ(made->key, kKey);
    } else if (const auto* refusal = std::get_if<HttpResponse>(&verdict); refusal && refusal->status == 426) {
      EXPECT_THAT(refusal->headers, Contains(Pair("Upgrade", "websocket")));
      EXPECT_THAT(refusal->headers, Contains(Pair("Connection", "Upgrade")));
      if (std::string(c.what).find("version") != std::string::npos) {
        EXPECT_THAT(refusal->headers, Contains(Pair("Sec-WebSocket-Version", "13")));
      }
    }
  }
  const std::string all = upgrade + connection + key + version + "\r\n";
  EXPECT_EQ(Word(Judge("GET http://h/any?x HTTP/1.1\r\nHost: h\r\n" + all)), "upgrade ");
  EXPECT_EQ(Word(Judge("GET / HTTP/1.0\r\nHost: h\r\n" + all)), "page /") << "1.0 has no Upgrade";
  EXPECT_EQ(Word(Judge("POST / HTTP/1.1\r\nHost: h\r\n" + all)), "405");
  EXPECT_EQ(Word(Judge("HEAD / HTTP/1.1\r\nHost: h\r\n" + all)), "page /");
  EXPECT_EQ(Word(Judge("GET / HTTP/1.1\r\n" + all)), "400") << "no Host";
}

// What a browser sends to open a WebSocket, with `fields` beside it.
std::string Handshake(const std::string& host, const std::string& fields, const std::string& target = "/") {
  return "GET " + target + " HTTP/1.1\r\nHost: " + host +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         kKey + "\r\n" + fields + "\r\n";
}

TEST(HttpVerdict, AWebSocketIsForPagesThatMayUseTheServer) {
  const struct {
    const char* what;
    std::string request;
    const char* word;
  } cases[] = {
      {"no browser", Handshake("h", ""), "upgrade "},
      {"no browser, by any name", Handshake("chat.example.com", ""), "upgrade "},
      {"the server's own page", Handshake("h:3050", "Origin: http://h:3014\r\n"), "upgrade "},
      {"a page of another site", Handshake("h", "Origin: https://evil.example\r\n"), "403"},
      {"a page that was loaded from here by another's name",
       Handshake("evil.example", "Origin: http://evil.example\r\n"), "403"},
      {"two origins", Handshake("h", "Origin: http://h\r\nOrigin: http://h\r\n"), "400"},
  };
  for (const auto& one : cases) EXPECT_EQ(Word(Judge(one.request)), one.word) << one.what;
}

TEST(HttpVerdict, APageIsServedByNamesThatTheServerKnows) {
  EXPECT_EQ(Word(Judge("GET / HTTP/1.1\r\nHost: 10.0.0.1:3014\r\n\r\n")), "page /");
  EXPECT_EQ(Word(Judge("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")), "421");
  const auto head = ParseHead("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  HttpRouter router;
  router.Add("/", {.handler = [](const HttpRequest&) { return HttpResponse(); }, .any_host = true});
  EXPECT_EQ(Word(JudgeRequest(std::get<HttpHead>(head), router)), "page /");
  HttpRouter guarded;
  guarded.Add("/", {.handler = [](const HttpRequest&) { return HttpResponse(); }});
  EXPECT_EQ(
      Word(JudgeRequest(std::get<HttpHead>(head), guarded, Origins::Parse({"http://evil.example"}).value())),
      "page /");
}

TEST(HttpVerdict, ARouteMayBeForOwnPagesAlone) {
  HttpRouter router;
  router.Add(
      "/",
      {.handler = [](const HttpRequest&) { return HttpResponse(); }, .any_host = true, .own_pages = true});
  const auto judge = [&](const std::string& fields) {
    const std::string request = "GET / HTTP/1.1\r\nHost: chat.example.com\r\n" + fields + "\r\n";
    const auto head = ParseHead(request);
    return Word(
        JudgeRequest(std::get<HttpHead>(head), router, Origins::Parse({"https://app.example.com"}).value()));
  };
  EXPECT_EQ(judge(""), "page /") << "no browser";
  EXPECT_EQ(judge("Origin: https://app.example.com\r\n"), "page /");
  EXPECT_EQ(judge("Origin: https://evil.example\r\n"), "403");
  EXPECT_EQ(judge("User-Agent: node-XMLHttpRequest\r\n"), "page /") << "no browser";
  EXPECT_EQ(judge("User-Agent: Mozilla/5.0 (X11) Gecko/20100101\r\n"), "421")
      << "of a name that is not known";
  EXPECT_EQ(judge("Sec-Fetch-Site: same-origin\r\n"), "421");
  EXPECT_EQ(judge("Origin: capacitor://localhost\r\nUser-Agent: Mozilla/5.0\r\n"), "page /");
}

TEST(HttpVerdict, AnAnswerIsForPagesThatMayUseTheServer) {
  const auto readable_by = [](const std::string& fields) {
    return std::get<PlainRequest>(Judge("GET / HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n")).readable_by;
  };
  EXPECT_EQ(readable_by(""), "");
  EXPECT_EQ(readable_by("Origin: http://h:8080\r\n"), "http://h:8080");
  EXPECT_EQ(readable_by("Origin: https://evil.example\r\n"), "");
}

TEST(HttpVerdict, ABearerTokenIsHeldAgainstTheRoute) {
  HttpRouter router;
  router.AddWebSocket("/", {.protocol = {}, .check_bearer = [](std::string_view token) {
                              return token == "good" ? std::nullopt
                                                     : std::optional<std::string>("It is bad.");
                            }});
  const auto judge = [&](const std::string& request) {
    const auto head = ParseHead(request);
    return JudgeRequest(std::get<HttpHead>(head), router);
  };
  EXPECT_EQ(Word(judge(Handshake("h", ""))), "upgrade ");
  const auto good = judge(Handshake("h", "", "/?access_token=good"));
  EXPECT_EQ(std::get<UpgradeRequest>(good).bearer, "good");
  const auto bad = judge(Handshake("h", "Authorization: Bearer x\r\n"));
  ASSERT_EQ(Word(bad), "401");
  EXPECT_EQ(std::get<HttpResponse>(bad).body, "It is bad.\n");
  EXPECT_THAT(std::get<HttpResponse>(bad).headers,
              Contains(Pair("WWW-Authenticate", "Bearer error=\"invalid_token\"")));
  EXPECT_EQ(Word(judge(Handshake("h", "Authorization: Bearer x\r\n", "/?access_token=good"))), "400");
}

TEST(HttpVerdict, AsksTheRouteThatJudgesItself) {
  const auto protocol = std::make_shared<const ProtocolFactory>();
  HttpRouter router;
  router.AddWebSocket(
      "/", {.judge = [&](const HttpRequest& request) -> std::variant<HttpResponse, WebSocketOpening> {
        if (request.target != "/good?a=b") return HttpResponse{.status = 403, .body = ""};
        EXPECT_THAT(request.fields, Contains(Pair("Origin", "http://h")));
        return WebSocketOpening{.protocol = protocol};
      }});
  const auto judge = [&](const std::string& target) {
    const std::string request =
        "GET " + target + " HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\nUpgrade: websocket\r\n" +
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + kKey + "\r\n\r\n";
    const auto head = ParseHead(request);
    return JudgeRequest(std::get<HttpHead>(head), router);
  };
  EXPECT_EQ(Word(judge("/bad")), "403");
  const HttpVerdict good = judge("/good?a=b");
  ASSERT_TRUE(std::holds_alternative<UpgradeRequest>(good));
  EXPECT_EQ(std::get<UpgradeRequest>(good).opening.protocol, protocol);
}

}  // namespace
}  // namespace hubbub::net

#include <algorithm>
#include <string>

#include "services/net/http_verdict.h"
#include "services/testing/fuzz_check.h"

using namespace hubbub::net;  // NOLINT(google-build-using-namespace)

namespace {

constexpr size_t kMaxBody = 1'000;

// What became of bytes that begin with a body.
struct BodyRead {
  bool whole = false;
  bool fault = false;
  std::string body;
  std::string rest;  // What is behind it.
};
BodyRead ReadBody(const BodyFraming& framing, std::string_view bytes, size_t step) {
  HttpBody body(framing, kMaxBody);
  std::string rest;
  while (!bytes.empty() && !body.whole() && !body.fault()) {
    const size_t size = std::min(step, bytes.size());
    rest += bytes.substr(0, size);
    bytes.remove_prefix(size);
    const size_t taken = body.Put(rest);
    FUZZ_CHECK(taken <= rest.size());
    rest.erase(0, taken);
    FUZZ_CHECK(body.whole() || body.fault() || rest.size() <= HttpBody::kMaxChunkLineBytes);
  }
  return {body.whole(), body.fault().has_value(), body.Take(), rest.append(bytes)};
}

// Where a body ends does not depend on how it came, but for where a line is found to be too long.
void CheckBody(const BodyFraming& framing, std::string_view bytes, size_t step) {
  if (framing.length > kMaxBody) return;
  const BodyRead in_steps = ReadBody(framing, bytes, step);
  const BodyRead at_once = ReadBody(framing, bytes, bytes.size());
  if (in_steps.fault || at_once.fault) return;
  FUZZ_CHECK(in_steps.whole == at_once.whole);
  if (!in_steps.whole) return;
  FUZZ_CHECK(in_steps.body == at_once.body);
  FUZZ_CHECK(in_steps.rest == at_once.rest && bytes.ends_with(in_steps.rest));
  FUZZ_CHECK(in_steps.body.size() <= kMaxBody);
  FUZZ_CHECK(framing.chunked || in_steps.body.size() == framing.length);
}

}  // namespace

// The input: how many bytes come at a time, then the bytes.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t step = size_t{data[0]} + 1;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  HeadScanner scanner;
  HeadScanner::Result found;
  for (size_t have = 0; have < bytes.size() && found.size == 0 && !found.fault;) {
    have = std::min(bytes.size(), have + step);
    found = scanner.Scan(bytes.substr(0, have));
  }
  // What is found does not depend on how it came, but for where too much is noticed.
  const HeadScanner::Result at_once = HeadScanner().Scan(bytes);
  FUZZ_CHECK(found.size == at_once.size || found.fault || at_once.fault);
  FUZZ_CHECK(found.size <= bytes.size() && found.size <= kMaxHeadBytes);
  if (found.size == 0) return 0;

  const auto head = ParseHead(bytes.substr(0, found.size));
  if (const auto* fault = std::get_if<HttpFault>(&head)) {
    FUZZ_CHECK(fault->status >= 400 && !fault->sentence.empty());
    return 0;
  }
  static const HttpRouter router =
      HttpRouter()
          .Add("/", {.handler = [](const HttpRequest&) { return HttpResponse(); },
                     .methods = {"GET", "HEAD", "POST"}})
          .AddWebSocket("/", {.protocol = {}, .subprotocols = {"pomelo"}});
  const HttpVerdict verdict = JudgeRequest(std::get<HttpHead>(head), router);
  if (const auto* refusal = std::get_if<HttpResponse>(&verdict)) {
    FUZZ_CHECK(refusal->status >= 400 && !refusal->body.empty());
    const std::string answer = WriteResponse(*refusal, {}, absl::UnixEpoch());
    FUZZ_CHECK(answer.find("\r\n\r\n") == answer.size() - refusal->body.size() - 4);
  } else if (const auto* plain = std::get_if<PlainRequest>(&verdict)) {
    FUZZ_CHECK(plain->request.target.starts_with('/'));
    CheckBody(plain->framing, bytes.substr(found.size), step);
  } else {
    const auto& upgrade = std::get<UpgradeRequest>(verdict);
    FUZZ_CHECK(upgrade.key.size() == 24);
    FUZZ_CHECK(upgrade.protocol.empty() || upgrade.protocol == "pomelo");
  }
  return 0;
}

#include <string>

#include "services/net/http_verdict.h"
#include "services/pomelo/fuzz_check.h"

using namespace hubbub::net;  // NOLINT(google-build-using-namespace)

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
  const HttpVerdict verdict = JudgeRequest(std::get<HttpHead>(head), {"pomelo"});
  if (const auto* refusal = std::get_if<HttpResponse>(&verdict)) {
    FUZZ_CHECK(refusal->status >= 400 && !refusal->body.empty());
    const std::string answer = WriteResponse(*refusal, /*with_body=*/true, absl::UnixEpoch());
    FUZZ_CHECK(answer.find("\r\n\r\n") == answer.size() - refusal->body.size() - 4);
  } else if (const auto* page = std::get_if<PageRequest>(&verdict)) {
    FUZZ_CHECK(page->target.starts_with('/'));
  } else {
    const auto& upgrade = std::get<UpgradeRequest>(verdict);
    FUZZ_CHECK(upgrade.key.size() == 24);
    FUZZ_CHECK(upgrade.protocol.empty() || upgrade.protocol == "pomelo");
  }
  return 0;
}

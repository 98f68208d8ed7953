#include "services/client/client_metrics.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"

namespace hubbub::client {
namespace {

using ::testing::HasSubstr;

TEST(ClientMetrics, ShowEachNumberUnderItsNameAndLabel) {
  metrics::Metrics metrics;
  net::Traffic traffic{.received_bytes = 1, .sent_bytes = 2, .queued_bytes = 3};
  traffic.closes[static_cast<size_t>(net::CloseReason::kSlow)] = 4;
  ClientCounts counts;
  counts.protocols[0].greeted = 8;
  counts.protocols[0].requests[0] = 5;
  counts.protocols[2].requests.back() = 6;
  AddClientMetrics(
      metrics, [&] { return traffic; }, [&] { return counts; });
  traffic.queued_bytes = 7;  // Read at the scrape, not before.
  const std::string text = prometheus::TextSerializer().Serialize(metrics.Collect());
  for (const char* line : {
           "hubbub_client_received_bytes_total 1",
           "hubbub_client_sent_bytes_total 2",
           "hubbub_client_queued_bytes 7",
           R"(hubbub_client_closes_total{reason="slow"} 4)",
           R"(hubbub_client_closes_total{reason="kicked"} 0)",
           R"(hubbub_client_sessions_total{protocol="pomelo"} 8)",
           R"(hubbub_client_sessions_total{protocol="pitaya"} 0)",
           R"(hubbub_client_requests_total{code="200",protocol="pomelo"} 5)",
           R"(hubbub_client_requests_total{code="other",protocol="socketio"} 6)",
           R"(hubbub_client_requests_total{code="503",protocol="pomelo"} 0)",
       })
    EXPECT_THAT(text, HasSubstr(std::string("\n") + line + "\n"));
}

}  // namespace
}  // namespace hubbub::client

#include "services/session/client_metrics.h"

#include <map>
#include <string>

#include "gtest/gtest.h"

namespace hubbub {
namespace {

TEST(ClientMetrics, ShowEachNumberUnderItsNameAndLabel) {
  Metrics metrics;
  net::Traffic traffic{.received_bytes = 1, .sent_bytes = 2, .queued_bytes = 3};
  traffic.closes[static_cast<size_t>(net::CloseReason::kSlow)] = 4;
  RequestCounts requests = {};
  requests[0] = 5;
  requests.back() = 6;
  AddClientMetrics(
      metrics, [&] { return traffic; }, [&] { return requests; });
  traffic.queued_bytes = 7;  // Read at the scrape, not before.
  std::map<std::string, double> shown;
  for (const Metrics::Family& family : metrics.Read()) {
    for (const Metrics::Series& series : family.series)
      shown[family.name + (series.labels.empty() ? "" : " " + series.labels.begin()->second)] = series.value;
  }
  const std::map<std::string, double> expected = {
      {"hubbub_client_received_bytes_total", 1}, {"hubbub_client_sent_bytes_total", 2},
      {"hubbub_client_queued_bytes", 7},         {"hubbub_client_closes_total slow", 4},
      {"hubbub_client_closes_total kicked", 0},  {"hubbub_client_requests_total 200", 5},
      {"hubbub_client_requests_total other", 6}, {"hubbub_client_requests_total 503", 0}};
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(shown.contains(name)) << name;
    EXPECT_EQ(shown[name], value) << name;
  }
}

}  // namespace
}  // namespace hubbub

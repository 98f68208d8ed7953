#include "services/program/metrics_server.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/testing/tcp_client.h"

namespace hubbub::program {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(MetricsServer, ShowsWhatPrometheusReads) {
  metrics::Metrics metrics;
  metrics.AddCounter("x_total", "What X is", {{"of", "a"}}).Increment(3);
  metrics.AddGauge("y", "What Y is", [] { return 1.5; });
  metrics.AddHistogram("z", "What Z is").Observe(0.3);
  const auto server = MetricsServer::Start(metrics, "127.0.0.1", 0);
  ASSERT_NE(server, nullptr);
  testing::TcpClient client(server->port());
  client.Send("GET /metrics HTTP/1.0\r\n\r\n");
  const std::string answer = client.ReadToEnd();
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("# HELP x_total What X is\n# TYPE x_total counter\nx_total{of=\"a\"} 3"));
  EXPECT_THAT(answer, HasSubstr("# TYPE y gauge\ny 1.5"));
  EXPECT_THAT(answer, HasSubstr("z_bucket{le=\"0.1\"} 0\n"));
  EXPECT_THAT(answer, HasSubstr("z_bucket{le=\"0.5\"} 1\n"));
  EXPECT_THAT(answer, HasSubstr("z_bucket{le=\"+Inf\"} 1\n"));
  EXPECT_THAT(answer, HasSubstr("z_count 1\n"));
}

TEST(MetricsServer, HasTheMetricsAndItsHealthAlone) {
  metrics::Metrics metrics;
  const auto server = MetricsServer::Start(metrics, "127.0.0.1", 0);
  ASSERT_NE(server, nullptr);
  const auto answer = [&](const std::string& text) {
    testing::TcpClient client(server->port());
    client.Send(text);
    return client.ReadToEnd();
  };
  // By a name that a balancer or Prometheus has for it.
  const std::string end = " HTTP/1.1\r\nHost: hubbub-chat.hubbub.svc:9090\r\nConnection: close\r\n\r\n";
  EXPECT_THAT(answer("GET /metrics?name[]=x" + end), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer("GET /healthz" + end), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(answer("GET /" + end), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer("POST /metrics" + end), StartsWith("HTTP/1.1 405 "));
  EXPECT_EQ(answer(std::string("\x01\x00\x00\x02{}", 6)), "") << "Pomelo's handshake";
}

TEST(MetricsServer, APortInUseStopsNothing) {
  metrics::Metrics metrics;
  const auto first = MetricsServer::Start(metrics, "127.0.0.1", 0);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(MetricsServer::Start(metrics, "127.0.0.1", first->port()), nullptr);
}

}  // namespace
}  // namespace hubbub::program

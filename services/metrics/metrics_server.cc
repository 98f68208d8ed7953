#include "services/metrics/metrics_server.h"

#include <exception>
#include <utility>
#include <vector>

#include "prometheus/collectable.h"
#include "prometheus/exposer.h"
#include "prometheus/metric_family.h"
#include "services/directory.h"
#include "spdlog/spdlog.h"

namespace hubbub {
namespace {

prometheus::MetricType ToPrometheus(Metrics::Kind kind) {
  switch (kind) {
    case Metrics::Kind::kCounter:
      return prometheus::MetricType::Counter;
    case Metrics::Kind::kGauge:
      return prometheus::MetricType::Gauge;
    case Metrics::Kind::kHistogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric ToPrometheus(Metrics::Kind kind, const Metrics::Series& series) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : series.labels) metric.label.push_back({name, value});
  if (kind == Metrics::Kind::kCounter) metric.counter.value = series.value;
  if (kind == Metrics::Kind::kGauge) metric.gauge.value = series.value;
  if (kind == Metrics::Kind::kHistogram) {
    metric.histogram.sample_count = series.histogram.count;
    metric.histogram.sample_sum = series.histogram.sum;
    for (size_t i = 0; i < Histogram::kBounds.size(); ++i)
      metric.histogram.bucket.push_back({series.histogram.at_most[i], Histogram::kBounds[i]});
  }
  return metric;
}

class Collector final : public prometheus::Collectable {
 public:
  explicit Collector(const Metrics& metrics) : metrics_(metrics) {}

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<prometheus::MetricFamily> families;
    for (const Metrics::Family& family : metrics_.Read()) {
      prometheus::MetricFamily& made = families.emplace_back();
      made.name = family.name;
      made.help = family.help;
      made.type = ToPrometheus(family.kind);
      for (const Metrics::Series& series : family.series)
        made.metric.push_back(ToPrometheus(family.kind, series));
    }
    return families;
  }

 private:
  const Metrics& metrics_;
};

}  // namespace

class MetricsServer::Impl {
 public:
  Impl(const Metrics& metrics, const std::string& address)
      : collector_(std::make_shared<Collector>(metrics)), exposer_(address) {
    exposer_.RegisterCollectable(collector_);
  }

  uint16_t port() const { return static_cast<uint16_t>(exposer_.GetListeningPorts().at(0)); }

 private:
  const std::shared_ptr<Collector> collector_;  // The exposer holds it weakly.
  prometheus::Exposer exposer_;
};

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

uint16_t MetricsServer::port() const {
  return impl_->port();
}

std::unique_ptr<MetricsServer> MetricsServer::Start(const Metrics& metrics, const std::string& host,
                                                    uint16_t port) {
  const std::string address = HostPort(host, port);
  try {
    return std::unique_ptr<MetricsServer>(new MetricsServer(std::make_unique<Impl>(metrics, address)));
  } catch (const std::exception& error) {
    spdlog::error(
        "metrics can not be shown on {} ({}); all else goes on. Is the port in use? See --metrics_port",
        address, error.what());
    return nullptr;
  }
}

}  // namespace hubbub

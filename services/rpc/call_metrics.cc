#include "services/rpc/call_metrics.h"

#include <optional>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "services/base/log.h"
#include "services/rpc/request_id.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

std::string CodeName(grpc::StatusCode code) {
  return absl::StatusCodeToString(static_cast<absl::StatusCode>(code));
}

// A status that only a bug in this program explains.
bool IsMistake(grpc::StatusCode code) {
  return code == grpc::StatusCode::UNKNOWN || code == grpc::StatusCode::INTERNAL ||
         code == grpc::StatusCode::DATA_LOSS;
}

bool IsFailure(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
    case grpc::StatusCode::UNIMPLEMENTED:
      return true;
    default:
      return false;
  }
}

// One call's watcher.
class Watcher final : public grpc::experimental::Interceptor {
 public:
  Watcher(const CallMetrics& metrics, const ServerRpcInfo& info)
      : metrics_(metrics), method_(info.method()), start_(std::chrono::steady_clock::now()) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA))
      request_id_ = RequestIdIn(*methods->GetRecvInitialMetadata());
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      const grpc::Status status = methods->GetSendStatus();
      const auto took = std::chrono::steady_clock::now() - start_;
      metrics_.OnEnd(method_, status.error_code(), took);
      Log(status, took);
    }
    methods->Proceed();
  }

 private:
  void Log(const grpc::Status& status, std::chrono::duration<double, std::milli> took) const {
    const auto level = IsMistake(status.error_code()) ? spdlog::level::err : spdlog::level::debug;
    if (!spdlog::should_log(level)) return;
    // At debug all calls are wanted.
    const std::optional<uint64_t> left_out = level == spdlog::level::err ? metrics_.AdmitMistake(method_) : 0;
    if (!left_out) return;
    spdlog::log(level, "{}{}{}{}{}", method_, status.ok() ? "" : ": ", status.error_message(),
                *left_out == 0 ? "" : fmt::format(" ({} lines like this were left out)", *left_out),
                LogFields({{"request", request_id_},
                           {"code", CodeName(status.error_code())},
                           {"ms", fmt::format("{:.1f}", took.count())}}));
  }

  const CallMetrics& metrics_;
  const char* const method_;  // The server's, which outlives its calls.
  const std::chrono::steady_clock::time_point start_;
  std::string request_id_;
};

class Watchers final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit Watchers(const CallMetrics& metrics) : metrics_(metrics) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new Watcher(metrics_, *info);
  }

 private:
  const CallMetrics& metrics_;
};

}  // namespace

CallMetrics::CallMetrics(metrics::Metrics& metrics, const std::vector<std::string>& services) : errors_() {
  for (size_t code = 1; code < errors_.size(); ++code) {
    errors_[code] = &metrics.AddCounter("hubbub_rpc_errors_total",
                                        "Calls that this server did not answer with OK, by their gRPC code",
                                        {{"code", CodeName(static_cast<grpc::StatusCode>(code))}});
  }
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const std::string& name : services) {
    const auto* service = pool->FindServiceByName(name);
    for (int i = 0; service != nullptr && i < service->method_count(); ++i) {
      const auto& method = *service->method(i);
      const std::string label = service->name() + "." + method.name();
      const auto counter = [&](const char* result) {
        return &metrics.AddCounter("hubbub_rpc_total", "Calls that this server answered",
                                   {{"method", label}, {"result", result}});
      };
      const bool unary = !method.client_streaming() && !method.server_streaming();
      methods_.emplace(
          "/" + name + "/" + method.name(),
          Method{.ok = counter("ok"),
                 .refused = counter("refused"),
                 .failed = counter("failed"),
                 .seconds = unary ? &metrics.AddHistogram("hubbub_rpc_seconds", "How long the answers took",
                                                          {{"method", label}})
                                  : nullptr});
    }
  }
}

void CallMetrics::OnEnd(std::string_view method, grpc::StatusCode code,
                        std::chrono::duration<double> took) const {
  const auto known = methods_.find(method);
  if (known == methods_.end()) return;
  const Method& m = known->second;
  (code == grpc::StatusCode::OK ? m.ok : IsFailure(code) ? m.failed : m.refused)->Increment();
  if (code > grpc::StatusCode::OK && static_cast<size_t>(code) < errors_.size())
    errors_[static_cast<size_t>(code)]->Increment();
  if (m.seconds != nullptr) m.seconds->Observe(took.count());
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> CallMetrics::MakeInterceptors() const {
  return std::make_unique<Watchers>(*this);
}

}  // namespace hubbub::rpc

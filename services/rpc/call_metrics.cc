#include "services/rpc/call_metrics.h"

#include "absl/status/status.h"
#include "google/protobuf/descriptor.h"

namespace hubbub::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

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
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      metrics_.OnEnd(method_, methods->GetSendStatus().error_code(),
                     std::chrono::steady_clock::now() - start_);
    }
    methods->Proceed();
  }

 private:
  const CallMetrics& metrics_;
  const char* const method_;  // The server's, which outlives its calls.
  const std::chrono::steady_clock::time_point start_;
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

CallMetrics::CallMetrics(Metrics& metrics, const std::vector<std::string>& services) : errors_() {
  for (size_t code = 1; code < errors_.size(); ++code) {
    errors_[code] = &metrics.AddCounter(
        "hubbub_rpc_errors_total", "Calls that this server did not answer with OK, by their gRPC code",
        {{"code", absl::StatusCodeToString(static_cast<absl::StatusCode>(code))}});
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
  (code == grpc::StatusCode::OK ? m.ok : IsFailure(code) ? m.failed : m.refused)->Add();
  if (code > grpc::StatusCode::OK && static_cast<size_t>(code) < errors_.size())
    errors_[static_cast<size_t>(code)]->Add();
  if (m.seconds != nullptr) m.seconds->Observe(took.count());
}

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> CallMetrics::MakeInterceptors() const {
  return std::make_unique<Watchers>(*this);
}

}  // namespace hubbub::rpc

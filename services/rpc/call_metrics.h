#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status.h"
#include "services/base/line_limit.h"
#include "services/base/string_map.h"
#include "services/metrics/metrics.h"

namespace hubbub::rpc {

// Counts the calls that a gRPC server answers, and how long the unary ones took:
// hubbub_rpc_total{method,result} and hubbub_rpc_seconds{method}. A result is ok, refused (the caller's
// doing: NOT_FOUND, INVALID_ARGUMENT and so on) or failed (ours); which of these it was is in
// hubbub_rpc_errors_total{code}. Logs each call's end at debug, with its request id; a mistake of the program
// (UNKNOWN, INTERNAL, DATA_LOSS) as an error, of each method as often as LineLimit allows. Constant after
// construction but for the counters and that limit: thread-safe, without locks but for mistakes. Outlives the
// servers that it watches.
class CallMetrics {
 public:
  // `services`: full names, such as "hubbub.chat.v1.ChatService". Calls of others are not counted.
  CallMetrics(metrics::Metrics& metrics, const std::vector<std::string>& services);

  // `method` as gRPC has it: "/hubbub.chat.v1.ChatService/Send".
  void OnEnd(std::string_view method, grpc::StatusCode code, std::chrono::duration<double> took) const;

  // Nothing if a mistake of this method is not to be logged; else how many were left out before it.
  std::optional<uint64_t> AdmitMistake(std::string_view method) const {
    return mistakes_.Admit(method, LineLimit::Clock::now());
  }

  // What a server needs to be watched.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeInterceptors() const;

 private:
  struct Method {
    prometheus::Counter* ok;
    prometheus::Counter* refused;
    prometheus::Counter* failed;
    prometheus::Histogram* seconds;  // Null for streams.
  };
  StringMap<Method> methods_;
  std::array<prometheus::Counter*, 17> errors_;  // By gRPC code; null for OK.
  mutable LineLimit mistakes_;
};

}  // namespace hubbub::rpc

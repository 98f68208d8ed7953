#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status.h"
#include "services/metrics/metrics.h"
#include "services/string_map.h"

namespace hubbub::rpc {

// Counts the calls that a gRPC server answers, and how long the unary ones took:
// hubbub_rpc_total{method,result} and hubbub_rpc_seconds{method}. A result is ok, refused (the caller's
// doing: NOT_FOUND, INVALID_ARGUMENT and so on) or failed (ours); which of these it was is in
// hubbub_rpc_errors_total{code}. Logs each call's end at debug, with its request id; a mistake of the program
// (UNKNOWN, INTERNAL, DATA_LOSS) as an error. Constant after construction but for the
// counters: thread-safe, without locks. Outlives the servers that it watches.
class CallMetrics {
 public:
  // `services`: full names, such as "hubbub.chat.v1.ChatService". Calls of others are not counted.
  CallMetrics(Metrics& metrics, const std::vector<std::string>& services);

  // `method` as gRPC has it: "/hubbub.chat.v1.ChatService/Send".
  void OnEnd(std::string_view method, grpc::StatusCode code, std::chrono::duration<double> took) const;

  // What a server needs to be watched.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeInterceptors() const;

 private:
  struct Method {
    Counter* ok;
    Counter* refused;
    Counter* failed;
    Histogram* seconds;  // Null for streams.
  };
  StringMap<Method> methods_;
  std::array<Counter*, 17> errors_;  // By gRPC code; null for OK.
};

}  // namespace hubbub::rpc

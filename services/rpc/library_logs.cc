#include "services/rpc/library_logs.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/support/log.h"
#include "services/base/line_limit.h"
#include "services/base/log.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

using spdlog::level::level_enum;

// The libraries take plain functions, so what they share cannot be an object of main's. Never destroyed: a
// thread of gRPC may write at the very end.
LineLimit& Limit() {
  static auto& limit = *new LineLimit;
  return limit;
}

void Write(std::string_view library, level_enum level, std::string_view path, int line,
           std::string_view message) {
  if (!spdlog::should_log(level)) return;
  const std::string source = fmt::format("{}:{}", path.substr(path.rfind('/') + 1), line);
  const auto left_out = Limit().Admit(source, LineLimit::Clock::now());
  if (!left_out) return;
  // What a peer sent may be part of it, and must not be taken for a field.
  std::string text(message);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; },
      ' ');
  spdlog::log(level, "{}: {}{}{}", library, text,
              *left_out == 0 ? "" : fmt::format(" ({} lines like this were left out)", *left_out),
              LogFields({{"source", source}}));
}

void WriteGrpc(gpr_log_func_args* args) {
  const level_enum level = args->severity == GPR_LOG_SEVERITY_ERROR  ? spdlog::level::err
                           : args->severity == GPR_LOG_SEVERITY_INFO ? spdlog::level::info
                                                                     : spdlog::level::debug;
  Write("gRPC", level, args->file, args->line, args->message);
}

void WriteProtobuf(google::protobuf::LogLevel severity, const char* file, int line,
                   const std::string& message) {
  const level_enum level = severity == google::protobuf::LOGLEVEL_INFO      ? spdlog::level::info
                           : severity == google::protobuf::LOGLEVEL_WARNING ? spdlog::level::warn
                           : severity == google::protobuf::LOGLEVEL_ERROR   ? spdlog::level::err
                                                                            : spdlog::level::critical;
  Write("protobuf", level, file, line, message);
}

}  // namespace

LibraryLogs::LibraryLogs() {
  gpr_set_log_function(WriteGrpc);
  google::protobuf::SetLogHandler(WriteProtobuf);
}

LibraryLogs::~LibraryLogs() {
  gpr_set_log_function(nullptr);
  google::protobuf::SetLogHandler(nullptr);
}

}  // namespace hubbub::rpc

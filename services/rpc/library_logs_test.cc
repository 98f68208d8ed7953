#include "services/rpc/library_logs.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "boost/json.hpp"
#include "gmock/gmock.h"
#include "google/protobuf/stubs/logging.h"
#include "grpc/grpc.h"
#include "grpc/support/log.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "services/base/line_limit.h"
#include "services/base/log.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace hubbub::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

class LibraryLogsTest : public ::testing::Test {
 protected:
  LibraryLogsTest() : before_(spdlog::default_logger()) {
    grpc_init();  // Before it gRPC writes nothing.
    auto logger =
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(out_));
    logger->set_formatter(MakeJsonFormatter("chat-1"));
    spdlog::set_default_logger(logger);
  }
  ~LibraryLogsTest() override {
    grpc_shutdown();
    spdlog::set_default_logger(before_);
  }

  std::vector<boost::json::object> Lines() const {
    std::vector<boost::json::object> lines;
    std::istringstream in(out_.str());
    for (std::string line; std::getline(in, line);) lines.push_back(boost::json::parse(line).as_object());
    return lines;
  }

  std::ostringstream out_;
  const std::shared_ptr<spdlog::logger> before_;
  LibraryLogs logs_;
};

std::string Text(const boost::json::object& line, const char* name) {
  return std::string(line.at(name).as_string());
}

TEST_F(LibraryLogsTest, WhatGrpcSaysIsALineOfOurs) {
  gpr_log("src/core/somewhere.cc", 12, GPR_LOG_SEVERITY_ERROR, "a peer said: %s", "two\nlines\x1flevel=x");
  ASSERT_THAT(Lines(), SizeIs(1));
  const auto line = Lines().front();
  EXPECT_EQ(Text(line, "message"), "gRPC: a peer said: two lines level=x");
  EXPECT_EQ(Text(line, "level"), "error");
  EXPECT_EQ(Text(line, "server"), "chat-1");
  EXPECT_EQ(Text(line, "source"), "somewhere.cc:12");
}

TEST_F(LibraryLogsTest, GraveOrNotIsKept) {
  const struct {
    gpr_log_severity severity;
    const char* level;
  } cases[] = {{GPR_LOG_SEVERITY_ERROR, "error"}, {GPR_LOG_SEVERITY_INFO, "info"}};
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_INFO);
  for (const auto& c : cases) gpr_log("levels.cc", 1, c.severity, "x");
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
  ASSERT_THAT(Lines(), SizeIs(std::size(cases)));
  for (size_t i = 0; i < std::size(cases); ++i) EXPECT_EQ(Text(Lines()[i], "level"), cases[i].level);
}

TEST_F(LibraryLogsTest, TheLevelOfTheLogHolds) {
  spdlog::default_logger()->set_level(spdlog::level::critical);
  gpr_log("quiet.cc", 1, GPR_LOG_SEVERITY_ERROR, "x");
  EXPECT_THAT(Lines(), SizeIs(0));
}

// What anybody who reaches a gRPC port can send.
TEST_F(LibraryLogsTest, WhatProtobufSaysOfAPeersBytesIsALineOfOursAndIsBounded) {
  chat::v1::SendRequest request;
  for (uint64_t i = 0; i < 3 * LineLimit::kLines; ++i) request.ParseFromString("\x0a\x01\xff");
  ASSERT_THAT(Lines(), SizeIs(LineLimit::kLines));
  const auto line = Lines().front();
  EXPECT_EQ(Text(line, "level"), "error");
  EXPECT_THAT(Text(line, "message"), StartsWith("protobuf: "));
  EXPECT_THAT(Text(line, "message"), HasSubstr("SendRequest.room"));
  EXPECT_THAT(Text(line, "source"), StartsWith("wire_format"));
}

}  // namespace
}  // namespace hubbub::rpc

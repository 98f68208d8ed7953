#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "chat/connectors/chat_service.h"
#include "chat/connectors/leases.h"
#include "chat/rooms/room_table.h"
#include "fmt/format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "hubbub/chat/v1/chat.grpc.pb.h"

namespace hubbub::chat {

// Nothing in a test takes longer, unless it is broken.
inline std::chrono::system_clock::time_point TestDeadline() {
  return std::chrono::system_clock::now() + std::chrono::seconds(20);
}

// True as soon as `condition` is; false if it is not until the deadline.
template <typename Condition>
bool WaitUntil(Condition condition) {
  const auto deadline = TestDeadline();
  while (!condition()) {
    if (std::chrono::system_clock::now() > deadline) return false;
    std::this_thread::yield();
  }
  return true;
}

struct TestServerOptions {
  enum class Transport { kInProcess, kTcp };

  std::string id = "chat-1";
  RoomTable::Options rooms;
  const Ownership* ownership = nullptr;  // Outlives the server.
  Leases::Options leases;
  Cluster* cluster = nullptr;  // Outlives the server.
  Transport transport = Transport::kInProcess;
};

// A chat server of a test, reached without a socket or by a free port.
class TestServer {
 public:
  using Options = TestServerOptions;
  using Transport = TestServerOptions::Transport;

  explicit TestServer(Options options = {})
      : rooms(std::move(options.rooms), options.ownership),
        leases(options.id, rooms, std::move(options.leases), options.cluster),
        service(options.id, rooms, leases, options.cluster) {
    int port = 0;
    grpc::ServerBuilder builder;
    if (options.transport == Transport::kTcp) {
      builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    }
    builder.RegisterService(&service);
    server_ = builder.BuildAndStart();
    channel = port == 0 ? server_->InProcessChannel({})
                        : grpc::CreateChannel(fmt::format("127.0.0.1:{}", port),
                                              grpc::InsecureChannelCredentials());
    stub = v1::ChatService::NewStub(channel);
  }
  ~TestServer() { Stop(); }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  void Stop() {
    if (server_ == nullptr) return;
    service.Shutdown();
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
    server_.reset();
  }

  RoomTable rooms;
  Leases leases;
  ChatService service;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::ChatService::Stub> stub;

 private:
  std::unique_ptr<grpc::Server> server_;
};

// A connector's stream, read only when the test asks for it.
class TestStream {
 public:
  TestStream(v1::ChatService::Stub& stub, const std::string& connector, uint64_t resumed_lease = 0,
             uint64_t from_seq = 0, uint64_t run = 0) {
    context_.set_deadline(TestDeadline());
    v1::SubscribeRequest request;
    request.set_connector(connector);
    request.set_lease(resumed_lease);
    request.set_next_seq(from_seq);
    request.set_incarnation(run);
    reader_ = stub.Subscribe(&context_, request);
  }
  ~TestStream() {
    context_.TryCancel();
    if (!finished_) Finish();
  }
  TestStream(const TestStream&) = delete;
  TestStream& operator=(const TestStream&) = delete;

  // The next batch; false at the stream's end.
  bool Read() {
    v1::SubscribeResponse batch;
    if (!reader_->Read(&batch)) return false;
    if (lease == 0) {
      lease = batch.lease();
      next_seq = batch.seq();
    }
    gapless = gapless && batch.lease() == lease && batch.seq() == next_seq;
    next_seq = batch.seq() + static_cast<uint64_t>(batch.events_size());
    batches.push_back(batch);
    for (v1::Event& event : *batch.mutable_events()) events.push_back(std::move(event));
    return true;
  }
  // Reads until there are so many events in all.
  bool ReadEvents(size_t count) {
    while (events.size() < count) {
      if (!Read()) return false;
    }
    return true;
  }
  // Reads what is left, then answers how it ended.
  grpc::Status Finish() {
    while (Read()) {
    }
    finished_ = true;
    return reader_->Finish();
  }
  void Cancel() { context_.TryCancel(); }

  uint64_t lease = 0;     // As the first batch told.
  uint64_t next_seq = 0;  // Of the next event to come.
  bool gapless = true;    // Every batch went on where the one before had ended.
  std::vector<v1::Event> events;
  std::vector<v1::SubscribeResponse> batches;

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReaderInterface<v1::SubscribeResponse>> reader_;
  bool finished_ = false;
};

}  // namespace hubbub::chat

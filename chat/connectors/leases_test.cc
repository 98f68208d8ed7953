#include "chat/connectors/leases.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "chat/connectors/outbox.h"
#include "chat/testing/test_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::HasSubstr;

// The streams of connectors, each test over both transports: they hold back a writer in different ways.
class LeasesTest : public ::testing::TestWithParam<TestServer::Transport> {
 protected:
  TestServer::Options Options() const {
    TestServer::Options options;
    options.transport = GetParam();
    options.leases.grace_ms = 5000;
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Transports, LeasesTest,
                         ::testing::Values(TestServer::Transport::kInProcess, TestServer::Transport::kTcp),
                         [](const auto& instance) {
                           return instance.param == TestServer::Transport::kTcp ? "Tcp" : "InProcess";
                         });

// Lets `user` of this stream's connector into `room`.
void Enter(TestServer& server, const TestStream& stream, const std::string& room, const std::string& user,
           uint64_t session = 1) {
  const auto subscriber = server.leases.Find(stream.lease);
  ASSERT_TRUE(subscriber.ok()) << subscriber.status();
  ASSERT_TRUE(server.rooms.Add(room, user, {*subscriber, session, ""}, "").ok());
}

void Say(TestServer& server, const std::string& room, const std::string& content, Gather* gather = nullptr) {
  ASSERT_TRUE(server.rooms.Send(room, "system", kEverybody, content, /*id=*/{}, /*sender=*/{}, gather).ok());
}

// The contents of the stream's messages must be the numbers from `first` on.
void ExpectCounted(const TestStream& stream, int first) {
  for (const v1::Event& event : stream.events) {
    if (event.has_message()) {
      ASSERT_EQ(event.message().content(), std::to_string(first++));
    }
  }
}

TEST_P(LeasesTest, FirstResponseComesAtOnce) {
  TestServer server(Options());
  TestStream stream(*server.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  EXPECT_NE(stream.lease, 0u);
  EXPECT_EQ(stream.next_seq, 1u);
  EXPECT_TRUE(stream.events.empty());
}

TEST_P(LeasesTest, WhatPilesUpLeavesInBatches) {
  TestServer server(Options());
  TestStream stream(*server.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  Enter(server, stream, "room", "ann");
  constexpr int kMessages = 5000;
  for (int i = 0; i < kMessages; ++i) Say(server, "room", std::to_string(i));
  ASSERT_TRUE(stream.ReadEvents(kMessages + 1));
  EXPECT_TRUE(stream.gapless);
  EXPECT_EQ(stream.events[0].joined().user(), "ann");
  ExpectCounted(stream, 0);
  EXPECT_LT(stream.batches.size(), static_cast<size_t>(kMessages));
  for (const v1::SubscribeResponse& batch : stream.batches) {
    EXPECT_LE(batch.events_size(), 1024);
    EXPECT_LE(batch.ByteSizeLong(), 256u * 1024 + 64);
  }
}

TEST_P(LeasesTest, WhatIsGatheredLeavesTogether) {
  TestServer server(Options());
  TestStream stream(*server.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  constexpr int kMessages = 100;
  Enter(server, stream, "room", "ann");
  ASSERT_TRUE(stream.ReadEvents(1));
  {
    Gather gather;
    for (int i = 0; i < kMessages; ++i) Say(server, "room", std::to_string(i), &gather);
  }
  ASSERT_TRUE(stream.Read());
  EXPECT_EQ(stream.events.size(), kMessages + 1u);
  ExpectCounted(stream, 0);
  Say(server, "room", "alone");
  ASSERT_TRUE(stream.Read()) << "and what comes after it leaves at once";
}

TEST_P(LeasesTest, AnEventIsWholeOnTheWire) {
  TestServer server(Options());
  TestStream stream(*server.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  Enter(server, stream, "room", "ann");
  const auto sent = server.rooms.Send("room", "bob", "ann", "hello");
  ASSERT_TRUE(sent.ok());
  ASSERT_TRUE(stream.ReadEvents(2));
  const v1::Event& event = stream.events[1];
  EXPECT_EQ(event.room(), "room");
  EXPECT_EQ(event.epoch(), sent->epoch);
  EXPECT_EQ(event.offset(), sent->offset);
  EXPECT_EQ(event.time_ms(), sent->time_ms);
  EXPECT_EQ(event.message().from(), "bob");
  EXPECT_EQ(event.message().target(), "ann");
  EXPECT_EQ(event.message().content(), "hello");
}

TEST_P(LeasesTest, ACutStreamIsResumedWithExactlyWhatItMissed) {
  TestServer server(Options());
  uint64_t lease = 0;
  uint64_t next_seq = 0;
  {
    TestStream stream(*server.stub, "connector-1");
    ASSERT_TRUE(stream.Read());
    Enter(server, stream, "room", "ann");
    for (int i = 0; i < 10; ++i) Say(server, "room", std::to_string(i));
    ASSERT_TRUE(stream.ReadEvents(1));
    lease = stream.lease;
    next_seq = stream.next_seq;
  }
  for (int i = 10; i < 20; ++i) Say(server, "room", std::to_string(i));
  TestStream stream(*server.stub, "connector-1", lease, next_seq);
  ASSERT_TRUE(stream.Read());
  EXPECT_EQ(stream.lease, lease);
  EXPECT_EQ(stream.batches[0].seq(), next_seq);
  Say(server, "room", "20");
  const size_t missed = 23 - next_seq;  // One Joined and 21 messages are events 1 to 22.
  ASSERT_TRUE(stream.ReadEvents(missed));
  EXPECT_EQ(stream.events.size(), missed);
  EXPECT_TRUE(stream.gapless);
  ExpectCounted(stream, static_cast<int>(next_seq) - 2);
}

TEST_P(LeasesTest, ALeaseThatCanNotBeResumedMakesWayForANewOne) {
  auto options = Options();
  options.leases.queue.max_events = 4;
  TestServer server(options);
  TestStream first(*server.stub, "connector-1");
  ASSERT_TRUE(first.Read());
  Enter(server, first, "room", "ann");
  for (int i = 0; i < 10; ++i) {
    Say(server, "room", std::to_string(i));
    ASSERT_TRUE(first.ReadEvents(static_cast<size_t>(i) + 2));
  }
  struct Case {
    const char* what;
    const char* connector;
    uint64_t lease;
    uint64_t next_seq;
  };
  for (const Case& c : {Case{"no such lease", "connector-1", first.lease + 1, 1},
                        Case{"another connector's lease", "connector-2", first.lease, 12},
                        Case{"what is missing is gone", "connector-1", first.lease, 3},
                        Case{"the lease has ended by the case before", "connector-1", first.lease, 12}}) {
    TestStream stream(*server.stub, c.connector, c.lease, c.next_seq);
    ASSERT_TRUE(stream.Read()) << c.what;
    EXPECT_NE(stream.lease, c.lease) << c.what;
    EXPECT_NE(stream.lease, first.lease) << c.what;
    EXPECT_EQ(stream.batches[0].seq(), 1u) << c.what;
  }
  EXPECT_EQ(first.Finish().error_code(), grpc::StatusCode::ABORTED);
}

TEST_P(LeasesTest, TheNewestStreamOfALeaseTakesOver) {
  TestServer server(Options());
  TestStream first(*server.stub, "connector-1");
  ASSERT_TRUE(first.Read());
  TestStream second(*server.stub, "connector-1", first.lease, 1);
  ASSERT_TRUE(second.Read());
  EXPECT_EQ(second.lease, first.lease);
  const grpc::Status status = first.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED);
  EXPECT_THAT(status.error_message(), HasSubstr("connector \"connector-1\" has a newer stream"));
  Enter(server, second, "room", "ann");
  ASSERT_TRUE(second.ReadEvents(1));
}

TEST_P(LeasesTest, TwoProcessesWithOneIdBothHaveALease) {
  TestServer server(Options());
  TestStream first(*server.stub, "connector-1");
  TestStream second(*server.stub, "connector-1");
  ASSERT_TRUE(first.Read());
  ASSERT_TRUE(second.Read());
  EXPECT_NE(first.lease, second.lease);
  Enter(server, first, "room", "ann");
  Enter(server, second, "room", "bob");
  ASSERT_TRUE(first.ReadEvents(2));
  ASSERT_TRUE(second.ReadEvents(1));
}

TEST_P(LeasesTest, ANewRunOfAConnectorBeginsTheGraceOfTheOneBefore) {
  TestServer server(Options());
  TestStream first(*server.stub, "connector-1", 0, 0, /*run=*/7);
  ASSERT_TRUE(first.Read());
  Enter(server, first, "room", "ann");
  EXPECT_FALSE((*server.leases.Find(first.lease))->unheard_for().has_value());
  TestStream other(*server.stub, "connector-2", 0, 0, /*run=*/8);
  ASSERT_TRUE(other.Read());
  EXPECT_FALSE((*server.leases.Find(first.lease))->unheard_for().has_value());
  TestStream second(*server.stub, "connector-1", 0, 0, /*run=*/8);
  ASSERT_TRUE(second.Read());
  EXPECT_EQ(first.Finish().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE((*server.leases.Find(first.lease))->unheard_for().has_value());
  EXPECT_FALSE((*server.leases.Find(other.lease))->unheard_for().has_value());
  // If both live, the first goes on.
  TestStream again(*server.stub, "connector-1", first.lease, 1, /*run=*/7);
  ASSERT_TRUE(again.ReadEvents(1));
  EXPECT_EQ(again.lease, first.lease);
  EXPECT_FALSE((*server.leases.Find(first.lease))->unheard_for().has_value());
  EXPECT_FALSE((*server.leases.Find(second.lease))->unheard_for().has_value());
}

TEST_P(LeasesTest, ANewLeaseOfTheSameRunBeginsTheGraceOfTheOneBefore) {
  TestServer server(Options());
  TestStream half_open(*server.stub, "connector-1", 0, 0, /*run=*/7);
  ASSERT_TRUE(half_open.Read());
  TestStream anew(*server.stub, "connector-1", 0, 0, /*run=*/7);
  ASSERT_TRUE(anew.Read());
  EXPECT_EQ(half_open.Finish().error_code(), grpc::StatusCode::ABORTED);
  EXPECT_TRUE((*server.leases.Find(half_open.lease))->unheard_for().has_value());
  EXPECT_FALSE((*server.leases.Find(anew.lease))->unheard_for().has_value());
}

TEST_P(LeasesTest, AConnectorThatDoesNotReadIsCut) {
  TestServer server(Options());
  TestStream slow(*server.stub, "connector-1");
  TestStream other(*server.stub, "connector-2");
  ASSERT_TRUE(slow.Read());
  ASSERT_TRUE(other.Read());
  Enter(server, slow, "room", "ann");
  const auto subscriber = server.leases.Find(slow.lease);
  ASSERT_TRUE(subscriber.ok());
  const std::string content(size_t{32} << 10, 'x');
  // The transport takes some of it before it holds the writer back.
  for (int i = 0; i < 10'000 && !(*subscriber)->ended(); ++i) Say(server, "room", content);
  ASSERT_TRUE((*subscriber)->ended());

  EXPECT_EQ(server.rooms.Add("room", "bob", {*subscriber, 2, ""}, "").status().code(),
            absl::StatusCode::kFailedPrecondition);
  Enter(server, other, "room", "cat");
  EXPECT_TRUE(other.ReadEvents(1)) << "the others go on";

  EXPECT_EQ(server.leases.counts().cuts, 1u);
  EXPECT_EQ(server.leases.counts().queued_bytes, 0u) << "nothing waits for it any more";
  const grpc::Status status = slow.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("connector \"connector-1\" did not read its events: "));
  EXPECT_THAT(status.error_message(), HasSubstr(" bytes waiting"));
  EXPECT_TRUE(slow.gapless) << "what it got before was whole";

  TestStream again(*server.stub, "connector-1", slow.lease, slow.next_seq);
  ASSERT_TRUE(again.Read());
  EXPECT_NE(again.lease, slow.lease);
}

TEST_P(LeasesTest, CountsWhatIsSentAndWhatWaits) {
  TestServer server(Options());
  TestStream stream(*server.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  Enter(server, stream, "room", "ann");
  ASSERT_TRUE(stream.ReadEvents(1));
  EXPECT_EQ(server.leases.counts().leases, 1u);
  EXPECT_EQ(server.leases.counts().sent_events, 1u);
  EXPECT_GT(server.leases.counts().sent_bytes, 0u);
  // The transport takes some before it holds the writer back.
  const std::string content(size_t{32} << 10, 'x');
  size_t said = 0;
  while (server.leases.counts().queued_bytes < 10 * content.size() && said < 10'000) {
    Say(server, "room", content);
    ++said;
  }
  EXPECT_GE(server.leases.counts().queued_bytes, 10 * content.size());
  ASSERT_TRUE(stream.ReadEvents(1 + said));
  EXPECT_EQ(server.leases.counts().queued_bytes, 0u);
  EXPECT_EQ(server.leases.counts().sent_events, 1 + said);
  EXPECT_GT(server.leases.counts().sent_bytes, said * content.size());
  EXPECT_EQ(server.leases.counts().cuts, 0u);
}

TEST_P(LeasesTest, ALeaseEndsByItsGrace) {
  TestServer server(Options());
  TestStream stays(*server.stub, "connector-2");
  ASSERT_TRUE(stays.Read());
  Enter(server, stays, "room", "bob");
  uint64_t lease = 0;
  {
    TestStream goes(*server.stub, "connector-1");
    ASSERT_TRUE(goes.Read());
    lease = goes.lease;
    Enter(server, goes, "room", "ann");
    for (int64_t now = 0; now < 60'000; now += 1000) server.leases.Sweep(now);
    EXPECT_EQ(server.leases.size(), 2u) << "a lease lasts as long as its stream";
  }
  // When the server learns of the broken stream is not ours to say; from then on, two sweeps a grace apart
  // end it.
  int64_t now = 100'000;
  ASSERT_TRUE(WaitUntil([&] {
    server.leases.Sweep(now += 5000);
    return server.leases.size() == 1;
  }));
  EXPECT_EQ(server.leases.Find(lease).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(server.leases.Find(lease).status().message()),
              HasSubstr("is not known to chat server \"chat-1\""));
  ASSERT_TRUE(stays.ReadEvents(3));
  EXPECT_EQ(stays.events[2].left().user(), "ann");
  EXPECT_EQ(server.rooms.Get("room")->members.size(), 1u);
}

TEST_P(LeasesTest, ResumingWithinTheGraceKeepsTheUsers) {
  TestServer server(Options());
  uint64_t lease = 0;
  {
    TestStream stream(*server.stub, "connector-1");
    ASSERT_TRUE(stream.Read());
    lease = stream.lease;
    Enter(server, stream, "room", "ann");
  }
  server.leases.Sweep(0);
  server.leases.Sweep(4999);
  TestStream stream(*server.stub, "connector-1", lease, 1);
  ASSERT_TRUE(stream.ReadEvents(1));
  EXPECT_EQ(stream.lease, lease);
  for (int64_t now = 5000; now < 60'000; now += 1000) server.leases.Sweep(now);
  EXPECT_EQ(server.rooms.Get("room")->members.size(), 1u);
}

TEST_P(LeasesTest, TheUsersOfALargeLeaseLeaveAtAPace) {
  auto options = Options();
  options.leases.grace_ms = 0;
  options.leases.max_dropped_places = 4;
  TestServer server(options);
  {
    TestStream stream(*server.stub, "connector-1");
    ASSERT_TRUE(stream.Read());
    for (int i = 0; i < 10; ++i) Enter(server, stream, "room", fmt::format("user{}", i));
  }
  std::vector<size_t> left;
  ASSERT_TRUE(WaitUntil([&] {
    server.leases.Sweep(1);
    const size_t now = server.rooms.Get("room")->members.size();
    if (left.empty() ? now < 10 : now < left.back()) left.push_back(now);
    return server.leases.size() == 0;
  }));
  EXPECT_THAT(left, ::testing::ElementsAre(6, 2, 0));
}

TEST_P(LeasesTest, LeasesAreBounded) {
  auto options = Options();
  options.leases.max_leases = 1;
  TestServer server(options);
  TestStream first(*server.stub, "connector-1");
  ASSERT_TRUE(first.Read());
  TestStream second(*server.stub, "connector-2");
  const grpc::Status status = second.Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(status.error_message(), HasSubstr("connector \"connector-2\" gets no lease"));
  TestStream resumed(*server.stub, "connector-1", first.lease, 1);
  EXPECT_TRUE(resumed.Read()) << "resuming needs no further lease";
}

TEST_P(LeasesTest, ShutdownSendsWhatWasAcceptedThenEndsTheStreams) {
  TestServer server(Options());
  TestStream busy(*server.stub, "connector-1");
  TestStream idle(*server.stub, "connector-2");
  ASSERT_TRUE(busy.Read());
  ASSERT_TRUE(idle.Read());
  Enter(server, busy, "room", "ann");
  constexpr int kMessages = 3000;
  for (int i = 0; i < kMessages; ++i) Say(server, "room", std::to_string(i));
  server.service.Shutdown();
  for (TestStream* stream : {&busy, &idle}) {
    const grpc::Status status = stream->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(status.error_message(), "chat server \"chat-1\" is shutting down");
  }
  EXPECT_EQ(busy.events.size(), static_cast<size_t>(kMessages) + 1);
  ExpectCounted(busy, 0);
  TestStream late(*server.stub, "connector-1", busy.lease, busy.next_seq);
  EXPECT_EQ(late.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_P(LeasesTest, ServerStopsWithStreamsOpenAndUnread) {
  TestServer server(Options());
  TestStream stream(*server.stub, "connector-1");
  ASSERT_TRUE(stream.Read());
  Enter(server, stream, "room", "ann");
  const std::string content(size_t{32} << 10, 'x');
  for (int i = 0; i < 50; ++i) Say(server, "room", content);
  server.Stop();
  EXPECT_FALSE(stream.Finish().ok());
}

TEST_P(LeasesTest, NothingIsLostOrDoubledWhileStreamsComeAndGo) {
  TestServer server(Options());
  auto stream = std::make_unique<TestStream>(*server.stub, "connector-1");
  ASSERT_TRUE(stream->Read());
  const uint64_t lease = stream->lease;
  Enter(server, *stream, "room", "ann");
  constexpr size_t kSenders = 2;
  constexpr size_t kMessages = 2000;
  std::vector<std::thread> senders;
  for (size_t s = 0; s < kSenders; ++s) {
    senders.emplace_back([&server] {
      for (size_t i = 0; i < kMessages; ++i) Say(server, "room", "hi");
    });
  }
  std::vector<uint64_t> offsets;
  uint64_t next_seq = 1;
  bool whole = true;
  int streams = 1;
  while (offsets.size() < kSenders * kMessages + 1 && whole) {
    if (stream->batches.size() >= 3) {
      next_seq = stream->next_seq;
      // Every other time the old stream is still there when the new one comes.
      auto old = std::move(stream);
      if (++streams % 2 == 0) old.reset();
      stream = std::make_unique<TestStream>(*server.stub, "connector-1", lease, next_seq);
    }
    const size_t before = stream->events.size();
    whole = stream->Read() && stream->lease == lease && stream->gapless;
    if (stream->batches.size() == 1) whole = whole && stream->batches[0].seq() == next_seq;
    for (size_t i = before; i < stream->events.size(); ++i) offsets.push_back(stream->events[i].offset());
  }
  for (std::thread& t : senders) t.join();
  ASSERT_TRUE(whole);
  EXPECT_GT(streams, 1);
  for (size_t i = 0; i < offsets.size(); ++i) ASSERT_EQ(offsets[i], i + 1);
}

}  // namespace
}  // namespace hubbub::chat

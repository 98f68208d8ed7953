#include "connector/delivery/encoder.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/client/pomelo_pushes.h"
#include "services/pomelo/body.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"

namespace hubbub::connector {
namespace {

using chat::v1::Event;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = Delivery::Kind;
using Events = google::protobuf::RepeatedPtrField<Event>;

class EncoderTest : public ::testing::Test {
 protected:
  EncoderTest() { encoder_.Use(json_); }

  Event& Add(const std::string& room, uint64_t offset, uint64_t epoch = 7) {
    Event* event = events_.Add();
    event->set_room(room);
    event->set_epoch(epoch);
    event->set_offset(offset);
    event->set_time_ms(1700000000000);
    return *event;
  }
  void Say(const std::string& room, uint64_t offset, const std::string& content,
           const std::string& target = "*", uint64_t epoch = 7) {
    auto& message = *Add(room, offset, epoch).mutable_message();
    message.set_from("ann");
    message.set_target(target);
    message.set_content(content);
  }
  Deliveries Encode() const { return encoder_.Encode(events_); }

  const client::ClientContract contract_{true, true, std::chrono::seconds(3)};
  client::PushEncodings encodings_;
  const client::PomeloPushes pushes_{contract_, encodings_};
  const client::PushEncoding& json_ = pushes_.Of(client::WireFormat::kJson, net::Framing::kNone);
  const client::PushEncoding& json_frames_ = pushes_.Of(client::WireFormat::kJson, net::Framing::kBinary);
  const client::PushEncoding& utf8_ = pushes_.Of(client::WireFormat::kProtobufUtf8, net::Framing::kNone);
  const client::PushEncoding& cesu8_ = pushes_.Of(client::WireFormat::kProtobufCesu8, net::Framing::kNone);
  const client::PushEncoding& cesu8_frames_ =
      pushes_.Of(client::WireFormat::kProtobufCesu8, net::Framing::kBinary);
  Encoder encoder_{encodings_};
  Events events_;
};

// How many bytes the frame at the front of `rest` holds, which is taken to its body (RFC 6455, 5.2). 0 if
// there is none of fewer than 64 KiB.
size_t TakeFrameHeader(std::string_view& rest) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(rest[i]); };
  if (rest.size() < 4 || byte(0) != 0x82 || byte(1) > 126) return 0;
  const bool wide = byte(1) == 126;
  const size_t size = wide ? static_cast<size_t>(byte(2)) << 8 | byte(3) : byte(1);
  rest.remove_prefix(wide ? 4 : 2);
  return size;
}

// The bodies of the pushes in these packages, with their routes. `framed`: each has to be in a frame of its
// own.
std::vector<std::string> Pushes(const net::Payload& payload, bool framed = false) {
  std::vector<std::string> pushes;
  if (payload == nullptr) return pushes;
  std::string_view rest = *payload;
  while (!rest.empty()) {
    const size_t frame = framed ? TakeFrameHeader(rest) : 0;
    const auto package = pomelo::DecodePackage(rest, pomelo::kMaxPackageBody);
    if (!package.ok() || !package->has_value()) return {"no package"};
    if (framed && frame != (*package)->size) return {"a frame that is not one package"};
    const auto message = pomelo::DecodeMessage((*package)->package.body);
    if (!message.ok()) return {"no message"};
    pushes.push_back(std::string(std::get<std::string_view>(message->route)) + " " +
                     std::string(message->body));
    rest.remove_prefix((*package)->size);
  }
  return pushes;
}

TEST_F(EncoderTest, SaysWhatTheStockDemoSaysAndMore) {
  Add("lobby", 1).mutable_joined()->set_user("bob");
  Say("lobby", 2, "hi");
  Add("lobby", 3).mutable_left()->set_user("bob");
  const Deliveries deliveries = Encode();
  ASSERT_EQ(deliveries.size(), 3u);
  const std::string tail = R"(,"epoch":7,"time":1700000000000})";
  EXPECT_THAT(Pushes(deliveries[0].encoded[json_.index()].bytes),
              ElementsAre(R"(onAdd {"route":"onAdd","user":"bob","rid":"lobby","offset":1)" + tail));
  EXPECT_THAT(
      Pushes(deliveries[1].encoded[json_.index()].bytes),
      ElementsAre(
          R"(onChat {"route":"onChat","msg":"hi","from":"ann","target":"*","rid":"lobby","offset":2)" +
          tail));
  EXPECT_THAT(Pushes(deliveries[2].encoded[json_.index()].bytes),
              ElementsAre(R"(onLeave {"route":"onLeave","user":"bob","rid":"lobby","offset":3)" + tail));
}

TEST_F(EncoderTest, TellsWhomEachDeliveryIsFor) {
  Say("lobby", 1, "all");
  Say("lobby", 2, "one", "bob");
  Add("lobby", 3).mutable_joined()->set_user("cid");
  Add("lobby", 4).mutable_left()->set_user("dan");
  auto& replaced = *Add("lobby", 0).mutable_replaced();
  replaced.set_user("eve");
  replaced.set_session(42);
  Add("lobby", 5);  // Of a kind that is not known yet.
  const struct {
    Kind kind;
    std::string user;
    std::vector<uint64_t> numbers;
  } expected[] = {
      {Kind::kMessages, "", {1}}, {Kind::kTargeted, "bob", {2}}, {Kind::kJoined, "cid", {3}},
      {Kind::kLeft, "dan", {4}},  {Kind::kReplaced, "eve", {}},  {Kind::kReplaced, "", {}},
  };
  const Deliveries deliveries = Encode();
  ASSERT_EQ(deliveries.size(), std::size(expected));
  for (size_t i = 0; i < deliveries.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(deliveries[i].kind, expected[i].kind);
    EXPECT_EQ(deliveries[i].user, expected[i].user);
    EXPECT_EQ(deliveries[i].numbers, expected[i].numbers);
    EXPECT_EQ(deliveries[i].room, "lobby");
    EXPECT_EQ(deliveries[i].epoch, 7u);
  }
  EXPECT_EQ(deliveries[4].session, 42u);
}

TEST_F(EncoderTest, MessagesInARowAreOneDelivery) {
  Say("red", 1, "a");
  Say("blue", 11, "x");
  Say("red", 2, "b");
  Say("blue", 12, "y", "bob");  // Ends the run of its room alone.
  Say("red", 3, "c");
  Say("blue", 13, "z");
  Say("red", 1, "anew", "*", /*epoch=*/8);
  const Deliveries deliveries = Encode();
  ASSERT_EQ(deliveries.size(), 5u);
  EXPECT_EQ(deliveries[0].room, "red");
  EXPECT_THAT(deliveries[0].numbers, ElementsAre(1, 2, 3));
  EXPECT_EQ(Pushes(deliveries[0].encoded[json_.index()].bytes).size(), 3u);
  EXPECT_THAT(deliveries[1].numbers, ElementsAre(11));
  EXPECT_THAT(deliveries[2].numbers, ElementsAre(12));
  EXPECT_THAT(deliveries[3].numbers, ElementsAre(13));
  EXPECT_EQ(deliveries[4].epoch, 8u) << "another life of the room's offsets";
}

TEST_F(EncoderTest, RunsAreBounded) {
  const std::string content(1000, 'x');
  uint64_t offset = 0;
  for (int i = 0; i < 100; ++i) Say("lobby", ++offset, content);
  const Deliveries deliveries = Encode();
  EXPECT_GE(deliveries.size(), 3u);
  uint64_t next = 1;
  for (const Delivery& delivery : deliveries) {
    EXPECT_LE(delivery.encoded[json_.index()].bytes->size(), size_t{40} * 1024);
    for (const uint64_t at : delivery.numbers) EXPECT_EQ(at, next++);
  }
  EXPECT_EQ(next, 101u);
}

TEST_F(EncoderTest, AfterAnOffsetStandsTheRestOfTheRun) {
  for (const auto* encoding : {&json_frames_, &cesu8_, &cesu8_frames_}) encoder_.Use(*encoding);
  for (uint64_t offset = 5; offset <= 7; ++offset) Say("lobby", offset, std::to_string(offset));
  const Deliveries deliveries = Encode();
  ASSERT_EQ(deliveries.size(), 1u);
  const Delivery& run = deliveries[0];
  for (const auto* encoding : {&json_, &json_frames_, &cesu8_, &cesu8_frames_}) {
    SCOPED_TRACE(encoding->index());
    const bool framed = encoding->framing() != net::Framing::kNone;
    const auto& whole = run.encoded[encoding->index()].bytes;
    for (const uint64_t before : {0, 3, 4}) {
      EXPECT_EQ(run.After(before, *encoding), whole) << "the same bytes, not a copy";
    }
    for (const uint64_t seen : {5, 6}) {
      const auto rest = Pushes(run.After(seen, *encoding), framed);
      const auto all = Pushes(whole, framed);
      ASSERT_EQ(all.size(), 3u);
      EXPECT_EQ(rest,
                std::vector<std::string>(all.begin() + static_cast<std::ptrdiff_t>(seen) - 4, all.end()));
    }
    for (const uint64_t all : {7, 8}) EXPECT_EQ(run.After(all, *encoding), nullptr);
  }
  EXPECT_EQ(run.After(0, utf8_), nullptr) << "nobody uses this";
}

TEST_F(EncoderTest, EncodesWhatIsInUseAlone) {
  Say("lobby", 1, "hi");
  const auto formats = [&] {
    std::vector<bool> used;
    const Deliveries deliveries = Encode();
    for (const auto& encoded : deliveries.at(0).encoded) used.push_back(encoded.bytes != nullptr);
    return used;
  };
  EXPECT_THAT(formats(), ElementsAre(true, false, false, false, false, false));
  encoder_.Use(utf8_);
  encoder_.Use(utf8_);
  EXPECT_THAT(formats(), ElementsAre(true, false, true, false, false, false));
  encoder_.Use(cesu8_frames_);
  EXPECT_THAT(formats(), ElementsAre(true, false, true, false, false, true));
  encoder_.Unuse(cesu8_frames_);
  encoder_.Unuse(utf8_);
  encoder_.Unuse(json_);
  EXPECT_THAT(formats(), ElementsAre(false, false, true, false, false, false));
  encoder_.Unuse(utf8_);
  EXPECT_THAT(formats(), ElementsAre(false, false, false, false, false, false));
}

// Clients in the field read only the first package of a frame.
TEST_F(EncoderTest, EachEventHasAFrameOfItsOwn) {
  for (const bool also_on_tcp : {true, false}) {
    SCOPED_TRACE(also_on_tcp ? "with clients on TCP" : "without clients on TCP");
    Encoder encoder(encodings_);
    encoder.Use(json_frames_);
    if (also_on_tcp) encoder.Use(json_);
    // Bodies with headers of two sizes.
    for (const size_t size : {1, 100, 1000, 20'000, 1}) Say("lobby", 1, std::string(size, 'x'));
    Add("lobby", 6).mutable_joined()->set_user("b");
    const Deliveries deliveries = encoder.Encode(events_);
    events_.Clear();
    ASSERT_EQ(deliveries.size(), 2u);
    for (const Delivery& delivery : deliveries) {
      const auto frames = Pushes(delivery.encoded[json_frames_.index()].bytes, /*framed=*/true);
      EXPECT_EQ(frames.size(), delivery.numbers.size());
      EXPECT_EQ(Pushes(delivery.encoded[json_.index()].bytes),
                also_on_tcp ? frames : std::vector<std::string>());
    }
  }
}

TEST_F(EncoderTest, NoEventsAreNoDeliveries) {
  EXPECT_THAT(Encode(), IsEmpty());
}

}  // namespace
}  // namespace hubbub::connector

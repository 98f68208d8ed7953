#include "connector/delivery/last_events.h"

#include <memory>
#include <string>

#include "gtest/gtest.h"

namespace hubbub::connector {
namespace {

LastEvents::EventPtr Said(uint64_t offset, uint64_t epoch = 1, int64_t time_ms = 0, size_t bytes = 10) {
  auto event = std::make_shared<chat::v1::Event>();
  event->set_epoch(epoch);
  event->set_offset(offset);
  event->set_time_ms(time_ms);
  event->mutable_message()->set_content(std::string(bytes, 'x'));
  return event;
}

TEST(LastEvents, KeepsTheNewestOfTheNewestLife) {
  LastEvents last;
  for (uint64_t offset = 1; offset <= 1000; ++offset) last.Append(Said(offset), 0);
  EXPECT_LE(last.events().size(), 64u);
  EXPECT_GE(last.events().size(), 32u);
  EXPECT_EQ(last.events().back().event->offset(), 1000u);
  last.Append(Said(1000), 0);
  last.Append(Said(990), 0);
  EXPECT_EQ(last.events().back().event->offset(), 1000u) << "known already";
  last.Append(Said(1, 2), 0);
  EXPECT_EQ(last.events().size(), 1u);
}

TEST(LastEvents, IsBoundedInBytesButKeepsOne) {
  LastEvents last;
  for (uint64_t offset = 1; offset <= 20; ++offset) last.Append(Said(offset, 1, 0, 20'000), 0);
  EXPECT_LE(last.events().size(), 3u);
  last.Append(Said(21, 1, 0, 200'000), 0);
  EXPECT_EQ(last.events().size(), 1u);
}

TEST(LastEvents, ForgetsByTheTimeThatHasPassedWhateverTheChatServersClockSays) {
  LastEvents last;
  last.Append(Said(1, 1, 700'000), 1'000);
  last.Append(Said(2, 1, 100'000), 5'000);
  last.Append(Said(3, 1, 900'000), 11'001);
  ASSERT_EQ(last.events().size(), 2u);
  EXPECT_EQ(last.events().front().event->offset(), 2u);
  EXPECT_EQ(last.events().front().came_ms, 5'000);
}

TEST(LastEvents, KnowsTheLatestTimeThatWasToldAlsoOfWhatItHasForgotten) {
  LastEvents last;
  last.Append(Said(1, 1, 700'000), 1'000);
  last.Append(Said(2, 1, 600'000), 100'000);
  last.Append(Said(1, 2, 500'000), 200'000);
  EXPECT_EQ(last.events().size(), 1u);
  EXPECT_EQ(last.time_ms(), 700'000);
}

}  // namespace
}  // namespace hubbub::connector

// Of every store: reading what was said.
#include "chat/store/testing/store_contract.h"
#include "fmt/format.h"

namespace hubbub::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_P(StoreContractHistory, RecentEventsAreTheNewest) {
  Fill(10);
  EXPECT_THAT(Offsets(Get(store().Recent("lobby", 0, 3))), ElementsAre(8, 9, 10));
  EXPECT_THAT(Offsets(Get(store().Recent("lobby", 8, 3))), ElementsAre(9, 10));
  EXPECT_THAT(Get(store().Recent("lobby", 10, 3)), IsEmpty());
  EXPECT_THAT(Get(store().Recent("nowhere", 0, 3)), IsEmpty());
}

TEST_P(StoreContractHistory, PagesGoBackToTheFirstMessage) {
  Fill(10);
  HistoryPage page = History(0, 4);
  EXPECT_THAT(Offsets(page.events), ElementsAre(7, 8, 9, 10));
  EXPECT_EQ(page.next_before, 7);
  page = History(page.next_before, 4);
  EXPECT_THAT(Offsets(page.events), ElementsAre(3, 4, 5, 6));
  page = History(page.next_before, 4);
  EXPECT_THAT(Offsets(page.events), ElementsAre(1, 2));
  EXPECT_EQ(page.next_before, 0);
  page = History(5, 4);
  EXPECT_THAT(Offsets(page.events), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(page.next_before, 0) << "nothing is older";
  EXPECT_EQ(page.events[0].content, "hello");
  EXPECT_THAT(History(1, 4).events, IsEmpty());
  EXPECT_THAT(Offsets(History(500, 2).events), ElementsAre(9, 10)) << "beyond the head it begins at the head";
}

TEST_P(StoreContractHistory, ARoomThatIsNotThereHasNone) {
  const HistoryPage page = History(0, 4);
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_EQ(page.next_before, 0);
}

TEST_P(StoreContractHistory, PrivateMessagesAreSeenByTheTwoOfThem) {
  std::vector<LoggedEvent> events;
  for (int64_t i = 1; i <= 6; ++i) events.push_back(Event("lobby", i));
  events[1].sender = "ann";
  events[1].target = "bob";
  events[3].sender = "bob";
  events[3].target = "cid";
  events[4].sender = "ann";
  ASSERT_TRUE(AppendHere(events));
  EXPECT_THAT(Offsets(History(0, 9).events), ElementsAre(1, 3, 5, 6));
  EXPECT_THAT(Offsets(History(0, 9, "ann").events), ElementsAre(1, 2, 3, 5, 6));
  EXPECT_THAT(Offsets(History(0, 9, "bob").events), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Offsets(History(0, 9, "cid").events), ElementsAre(1, 3, 4, 5, 6));
  EXPECT_THAT(Offsets(History(0, 9, "", true).events), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(Pages(1, "cid"), ElementsAre(6, 5, 4, 3, 1));
  EXPECT_THAT(Pages(2, "cid"), ElementsAre(6, 5, 4, 3, 1));
}

TEST_P(StoreContractHistory, AMessageWithoutASenderIsNotEverybodysOwn) {
  LoggedEvent event = Event("lobby", 1);
  event.sender = "";
  event.target = "bob";
  ASSERT_TRUE(AppendHere({event}));
  EXPECT_THAT(History(0, 9).events, IsEmpty());
}

TEST_P(StoreContractHistory, APageLooksAtFiveThousandOffsets) {
  std::vector<LoggedEvent> first = {Event("lobby", 1), Event("lobby", 2)};
  ASSERT_TRUE(AppendHere(first));
  for (int64_t next = 3; next <= 6000;) {
    std::vector<LoggedEvent> events;
    for (; next <= 6000 && events.size() < 1024; ++next) {
      events.push_back(Event("lobby", next, ""));
      events.back().target = "bob";
    }
    ASSERT_TRUE(AppendHere(std::move(events)));
  }
  const HistoryPage page = History(0, 10, "ann");
  EXPECT_THAT(page.events, IsEmpty());
  EXPECT_EQ(page.next_before, 1001);
  EXPECT_THAT(Pages(10, "ann"), ElementsAre(2, 1));
}

TEST_P(StoreContractHistory, TrimmedMessagesAreNotSeen) {
  Fill(10);
  Ok(store().Trim("lobby", 6));
  EXPECT_THAT(Offsets(Get(store().Recent("lobby", 0, 9))), ElementsAre(7, 8, 9, 10));
  HistoryPage page = History(0, 9);
  EXPECT_THAT(Offsets(page.events), ElementsAre(7, 8, 9, 10));
  EXPECT_EQ(page.next_before, 0);
  page = History(0, 4);
  EXPECT_EQ(page.next_before, 0) << "what is older is trimmed";
  EXPECT_THAT(History(5, 4).events, IsEmpty());
  EXPECT_EQ(History(5, 4).next_before, 0);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 0)), 7);
  Ok(store().Trim("lobby", 10));
  EXPECT_THAT(History(0, 9).events, IsEmpty());
  EXPECT_EQ(Get(store().OffsetAt("lobby", 0)), 11);
}

TEST_P(StoreContractHistory, OffsetsAreFoundByTime) {
  std::vector<LoggedEvent> events;
  for (int64_t i = 1; i <= 100; ++i) {
    events.push_back(Event("lobby", i));
    events.back().time_ms = i / 10 * 1000;  // Ten at a time: 9 of 0, 10 of 1,000 …, 1 of 10,000.
  }
  ASSERT_TRUE(AppendHere(events));
  EXPECT_EQ(Get(store().OffsetAt("lobby", -5)), 1);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 0)), 1);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 1)), 10);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 1000)), 10);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 8999)), 90);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 9001)), 100);
  EXPECT_EQ(Get(store().OffsetAt("lobby", 10001)), 101);
  EXPECT_EQ(Get(store().OffsetAt("nowhere", 5)), 1);
}

TEST_P(StoreContractHistory, IdsAreThoseOfTheNewestEvents) {
  Fill(5);
  std::vector<LoggedEvent> ids = Get(store().Ids("lobby", 5, 2000));
  ASSERT_THAT(Offsets(ids), ElementsAre(3, 4, 5));
  EXPECT_EQ(ids[0].time_ms, 3000);
  EXPECT_EQ(ids[0].sender, "sender 3");
  EXPECT_EQ(ids[0].id, "id 3");
  EXPECT_EQ(ids[0].recipients, 3);
  EXPECT_EQ(ids[0].content, "");
  LoggedEvent without = Event("lobby", 6);
  without.id = "";
  ASSERT_TRUE(AppendHere({without, Event("lobby", 7)}));
  EXPECT_THAT(Offsets(Get(store().Ids("lobby", 7, 3000))), ElementsAre(4, 5, 7));
  EXPECT_THAT(Offsets(Get(store().Ids("lobby", 5, 3000))), ElementsAre(4, 5));
  EXPECT_THAT(Get(store().Ids("nowhere", 0, 0)), IsEmpty());
}

TEST_P(StoreContractHistory, IdsAreOfABoundedNumberOfEvents) {
  Fill(16390);
  const std::vector<LoggedEvent> ids = Get(store().Ids("lobby", 16390, 0));
  ASSERT_EQ(ids.size(), 16384u);
  EXPECT_EQ(ids.front().offset, 7);
  EXPECT_EQ(ids.back().offset, 16390);
}

}  // namespace
}  // namespace hubbub::chat

#include "services/net/seats.h"

#include <vector>

#include "gtest/gtest.h"
#include "services/net/networks.h"
#include "services/net/ticket.h"
#include "services/testing/test_log.h"

namespace hubbub::net {
namespace {

TEST(Seats, WhoComesToAFullServerIsAGuest) {
  const auto seats = std::make_shared<Seats>(2);
  auto first = seats->Take();
  auto second = seats->Take();
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->guest());
  EXPECT_FALSE(second->guest());
  auto third = seats->Take();
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->guest());
  EXPECT_EQ(seats->reason(), "full");
  EXPECT_EQ(seats->taken(), 2);
  EXPECT_EQ(seats->guests(), 1);
  third.reset();
  EXPECT_EQ(seats->guests(), 0);
  first.reset();
  EXPECT_EQ(seats->taken(), 1);
  auto fourth = seats->Take();
  ASSERT_TRUE(fourth);
  EXPECT_FALSE(fourth->guest());
}

TEST(Seats, BoundsTheGuests) {
  const auto seats = std::make_shared<Seats>(0);
  std::vector<Ticket> guests;
  for (int i = 0; i < Seats::MostGuests(0); ++i) {
    auto ticket = seats->Take();
    ASSERT_TRUE(ticket);
    guests.push_back(*std::move(ticket));
  }
  EXPECT_FALSE(seats->Take());
  guests.pop_back();
  EXPECT_TRUE(seats->Take());
}

TEST(Seats, WhoComesToADrainIsAGuestAndWhoWasThereMayBecomeOne) {
  const auto seats = std::make_shared<Seats>(5);
  auto before = seats->Take();
  EXPECT_FALSE(seats->draining());
  seats->Drain("reconnect");
  EXPECT_TRUE(seats->draining());
  EXPECT_EQ(seats->reason(), "reconnect");
  auto after = seats->Take();
  ASSERT_TRUE(before && after);
  EXPECT_FALSE(before->guest());
  EXPECT_TRUE(after->guest());
  before->BecomeGuest();
  before->BecomeGuest();
  EXPECT_TRUE(before->guest());
  EXPECT_EQ(seats->taken(), 0);
  EXPECT_EQ(seats->guests(), 2);
  before.reset();
  after.reset();
  EXPECT_EQ(seats->guests(), 0);
}

TEST(Seats, AConnectionThatIsKeptNeedsNoPlace) {
  const auto seats = std::make_shared<Seats>(1);
  auto first = seats->Take();
  ASSERT_TRUE(first && first->Keep(nullptr) && first->Keep(nullptr));
  EXPECT_FALSE(first->guest());
  EXPECT_EQ(seats->taken(), 0);
  EXPECT_EQ(seats->kept(), 1);
  first->TakePlace();
  first->TakePlace();
  EXPECT_FALSE(first->guest());
  EXPECT_EQ(seats->taken(), 1);
  EXPECT_EQ(seats->kept(), 0);
  auto guest = seats->Take();
  ASSERT_TRUE(guest);
  EXPECT_FALSE(guest->Keep(nullptr)) << "it has nothing to give up";
  ASSERT_TRUE(first->Keep(nullptr));
  auto second = seats->Take();
  ASSERT_TRUE(second);
  first->TakePlace();
  EXPECT_TRUE(first->guest()) << "its place was taken";
  EXPECT_EQ(seats->guests(), 2);
  second->BecomeGuest();
  seats->Drain("reconnect");
  EXPECT_FALSE(second->Keep(nullptr));
  first.reset();
  second.reset();
  guest.reset();
  EXPECT_EQ(seats->taken() + seats->guests() + seats->kept(), 0);
}

TEST(Seats, ConnectionsThatAreKeptLeaveHalfOfTheGuestsTheirRoom) {
  const auto seats = std::make_shared<Seats>(100);
  std::vector<Ticket> kept;
  for (int i = 0; i < Seats::MostKept(100); ++i) {
    kept.push_back(*seats->Take(static_cast<Seats::Machine>(i + 1)));
    EXPECT_TRUE(kept.back().Keep(nullptr));
  }
  auto more = seats->Take(1'000);
  EXPECT_FALSE(more->Keep(nullptr));
  EXPECT_FALSE(more->guest()) << "it has its place as before";
  seats->Drain("reconnect");
  std::vector<Ticket> guests;
  while (auto guest = seats->Take()) guests.push_back(*std::move(guest));
  EXPECT_EQ(static_cast<int>(guests.size()), Seats::MostGuests(100) - Seats::MostKept(100));
}

// Who has many keeps nobody else from having some.
TEST(Seats, OneMachineHasAPartOfTheConnectionsThatAreKept) {
  const auto seats = std::make_shared<Seats>(1'000);
  const int part = Seats::MostKeptOfOne(1'000);
  ASSERT_LE(3 * part, Seats::MostKept(1'000));
  std::vector<int> lost;
  std::vector<Ticket> greedy;
  for (int i = 0; i < part; ++i) {
    greedy.push_back(*seats->Take(7));
    EXPECT_TRUE(greedy.back().Keep([&lost, i] { lost.push_back(i); }));
  }
  EXPECT_TRUE(greedy[0].Keep(nullptr)) << "its next request, which makes it the newest";
  EXPECT_EQ(seats->kept(), part);
  auto more = seats->Take(7);
  EXPECT_TRUE(more->Keep(nullptr));
  EXPECT_EQ(lost, (std::vector<int>{1}));
  EXPECT_EQ(seats->kept(), part);
  EXPECT_EQ(seats->guests(), 1) << "the one that has to go, until it does";
  EXPECT_FALSE(greedy[1].Keep(nullptr));
  greedy[1].TakePlace();
  EXPECT_FALSE(greedy[1].guest()) << "a request that came meanwhile";
  EXPECT_EQ(seats->taken(), 1);
  auto other = seats->Take(8);
  EXPECT_TRUE(other->Keep(nullptr));
  EXPECT_EQ(lost.size(), 1u);
  greedy.clear();
  more.reset();
  other.reset();
  EXPECT_EQ(seats->taken() + seats->guests() + seats->kept(), 0);
}

TEST(Seats, OneMachineHasAPartOfThePlaces) {
  const auto seats = std::make_shared<Seats>(10, /*most_of_one=*/2);
  auto first = seats->Take(7);
  auto second = seats->Take(7);
  auto third = seats->Take(7);
  auto other = seats->Take(8);
  auto unknown = seats->Take();
  ASSERT_TRUE(first && second && third && other && unknown);
  EXPECT_FALSE(second->guest() || other->guest() || unknown->guest());
  EXPECT_TRUE(third->guest());
  EXPECT_EQ(seats->taken(), 4);

  first.reset();
  EXPECT_FALSE(seats->Take(7)->guest());
  ASSERT_TRUE(second->Keep(nullptr));
  auto fourth = seats->Take(7);
  auto fifth = seats->Take(7);
  EXPECT_FALSE(fourth->guest() || fifth->guest()) << "what is kept has no place";
  second->TakePlace();
  EXPECT_TRUE(second->guest());
}

TEST(Seats, AProxySaysWhoseAPlaceIs) {
  const auto seats = std::make_shared<Seats>(100, /*most_of_one=*/1);
  auto first = seats->Take();
  auto second = seats->Take();
  EXPECT_TRUE(first->BelongTo(7));
  EXPECT_TRUE(first->BelongTo(7)) << "with the next request";
  EXPECT_FALSE(first->guest());
  EXPECT_TRUE(second->BelongTo(7));
  EXPECT_TRUE(second->guest());
  EXPECT_EQ(seats->taken(), 1);
  EXPECT_EQ(seats->guests(), 1);

  std::vector<Ticket> guests;
  while (seats->guests() < Seats::MostGuests(100)) {
    guests.push_back(*seats->Take());
    EXPECT_TRUE(guests.back().BelongTo(7));
  }
  auto late = seats->Take();
  EXPECT_FALSE(late->BelongTo(7)) << "there are too many guests";
  EXPECT_EQ(seats->taken(), 1);
  first.reset();
  second.reset();
  late.reset();
  guests.clear();
  EXPECT_EQ(seats->taken() + seats->guests(), 0);
  EXPECT_FALSE(seats->Take(7)->guest());
}

TEST(Seats, AGuestIsToldWhy) {
  const auto seats = std::make_shared<Seats>(3, /*most_of_one=*/1);
  auto first = seats->Take(7);
  auto at_the_door = seats->Take(7);
  auto moved = seats->Take();
  ASSERT_TRUE(first && at_the_door && moved && moved->BelongTo(7));
  auto kept = seats->Take(8);
  ASSERT_TRUE(kept && kept->Keep(nullptr));
  auto next = seats->Take(8);
  kept->TakePlace();
  EXPECT_EQ(first->refusal(), std::nullopt);
  for (const Ticket* guest : {&*at_the_door, &*moved, &*kept}) EXPECT_EQ(guest->refusal(), "too-many");
  EXPECT_EQ(seats->guests(), 3);

  auto third = seats->Take(9);
  EXPECT_EQ(third->refusal(), std::nullopt);
  EXPECT_EQ(seats->Take(7)->refusal(), "full") << "nobody would get in";
  EXPECT_EQ(at_the_door->refusal(), "too-many");
  seats->Drain("reconnect");
  for (const Ticket* guest : {&*at_the_door, &*moved, &*kept}) EXPECT_EQ(guest->refusal(), "reconnect");
  at_the_door.reset();
  moved.reset();
  kept.reset();
  EXPECT_EQ(seats->guests(), 0);
}

// Whoever comes next has nothing to do with it.
TEST(Seats, TheLogNamesTheMachineThatHasTooMany) {
  const hubbub::testing::TestLog log;
  const auto seats = std::make_shared<Seats>(100, /*most_of_one=*/1);
  const auto line = [](const char* machine, int refused) {
    return "the machine of " + std::string(machine) +
           " has 1 clients, as many as one may have; further ones are turned away, " +
           std::to_string(refused) + " so far";
  };
  std::vector<std::string> lines;
  auto first = seats->Take(MachineOfPeer("192.0.2.1:1"));
  auto at_the_door = seats->Take(MachineOfPeer("192.0.2.1:2"));
  lines.push_back(line("192.0.2.1", 1));
  EXPECT_EQ(log.lines(), lines);

  auto by_proxy = seats->Take();
  EXPECT_TRUE(by_proxy->BelongTo(MachineOfPeer("2001:db8:1:2::3:1")));
  auto moved = seats->Take();
  EXPECT_TRUE(moved->BelongTo(MachineOfPeer("2001:db8:1:2::4:1")));
  lines.push_back(line("2001:db8:1:2::/64", 2));
  EXPECT_EQ(log.lines(), lines);

  auto kept = seats->Take(MachineOfPeer("192.0.2.3:1"));
  ASSERT_TRUE(kept->Keep(nullptr));
  auto next = seats->Take(MachineOfPeer("192.0.2.3:2"));
  kept->TakePlace();
  EXPECT_TRUE(kept->guest());
  lines.push_back(line("192.0.2.3", 3));
  auto other = seats->Take(MachineOfPeer("192.0.2.4:1"));
  EXPECT_FALSE(other->guest());
  EXPECT_EQ(log.lines(), lines);
}

TEST(Seats, ALogHasAFewLinesOfThem) {
  const hubbub::testing::TestLog log;
  const auto seats = std::make_shared<Seats>(100, /*most_of_one=*/0);
  for (int i = 0; i < 1000; ++i) seats->Take(7);
  EXPECT_LT(log.lines().size(), 100U);
}

TEST(Seats, TellsWhenTheLastPlaceIsTakenAndWhenOneIsFree) {
  const auto seats = std::make_shared<Seats>(2);
  std::vector<int> told;  // How many were there.
  seats->OnFullChange([&] { told.push_back(seats->taken()); });
  auto first = seats->Take();
  EXPECT_EQ(told, (std::vector<int>{}));
  auto second = seats->Take();
  EXPECT_EQ(told, (std::vector<int>{2}));
  auto guest = seats->Take();
  guest.reset();
  EXPECT_EQ(told, (std::vector<int>{2})) << "guests have no place";
  second.reset();
  EXPECT_EQ(told, (std::vector<int>{2, 1}));
  first.reset();
  auto third = seats->Take();
  EXPECT_EQ(told, (std::vector<int>{2, 1}));
  auto fourth = seats->Take();
  fourth->BecomeGuest();
  EXPECT_EQ(told, (std::vector<int>{2, 1, 2, 1}));
  seats->OnFullChange(nullptr);
  auto last = seats->Take();
  EXPECT_EQ(told.size(), 4u);
}

}  // namespace
}  // namespace hubbub::net

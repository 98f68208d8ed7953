#include "chat/cluster/cluster_membership.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr int kSlots = 64;
constexpr uint64_t kA = 11;
constexpr uint64_t kB = 22;
constexpr uint64_t kC = 33;

StoredServer A() {
  return {.incarnation = kA, .id = "a", .address = "a:1"};
}
StoredServer B() {
  return {.incarnation = kB, .id = "b", .address = "b:1"};
}
StoredServer C() {
  return {.incarnation = kC, .id = "c", .address = "c:1"};
}
StoredServer Gone(StoredServer server) {
  server.gone = true;
  return server;
}
StoredServer Draining(StoredServer server) {
  server.draining = true;
  return server;
}

// Chat server "a", which knows itself, "b" and "c".
class ClusterMembershipTest : public ::testing::Test {
 protected:
  ClusterMembershipTest() {
    members_.BeginAnew(kA);
    members_.SetListed({"a", "b"});
    members_.SetServers({A(), B(), C()});
  }
  long Shares(uint64_t incarnation) const {
    const std::vector<uint64_t> heirs = members_.Heirs(kSlots);
    return std::count(heirs.begin(), heirs.end(), incarnation);
  }

  ClusterMembership members_{"a"};
};

TEST_F(ClusterMembershipTest, WhoIsListedAndNotGoneLives) {
  members_.SetServers({A(), Gone(B())});
  EXPECT_TRUE(members_.Lives(kA));
  EXPECT_FALSE(members_.Lives(kB));
  EXPECT_FALSE(members_.Lives(kC));
  EXPECT_EQ(members_.LivingRun("a"), kA);
  EXPECT_EQ(members_.LivingRun("b"), 0u);
  EXPECT_NE(members_.Find(kB), nullptr) << "it still owns slots";
  EXPECT_EQ(members_.Find(kC), nullptr);
}

TEST_F(ClusterMembershipTest, PeersAreTheOthersThatLive) {
  EXPECT_THAT(members_.Peers(), UnorderedElementsAre(ClusterMembership::Peer{"b", kB, "b:1"},
                                                     ClusterMembership::Peer{"c", kC, "c:1"}));
  members_.SetServers({A(), Gone(B())});
  EXPECT_THAT(members_.Peers(), IsEmpty());
}

TEST_F(ClusterMembershipTest, EachOfThoseThatLiveShouldHaveAShare) {
  for (const uint64_t run : {kA, kB, kC}) EXPECT_GT(Shares(run), 8) << run;
  EXPECT_EQ(Shares(kA) + Shares(kB) + Shares(kC), kSlots);
}

TEST_F(ClusterMembershipTest, WhoComesTakesItsShareFromAllAndMovesNothingElse) {
  members_.SetServers({A(), B()});
  const std::vector<uint64_t> before = members_.Heirs(kSlots);
  members_.SetServers({A(), B(), C()});
  const std::vector<uint64_t> after = members_.Heirs(kSlots);
  for (size_t i = 0; i < before.size(); ++i) {
    if (after[i] != kC) {
      EXPECT_EQ(after[i], before[i]) << "slot " << i;
    }
  }
}

struct HeirsCase {
  const char* what;
  std::vector<StoredServer> servers;
  bool draining;  // This server.
  std::vector<uint64_t> none;
};

TEST_F(ClusterMembershipTest, WhoIsGoneOrDrainsShouldHaveNone) {
  const std::vector<HeirsCase> cases = {
      {"another is gone", {A(), Gone(B()), C()}, false, {kB}},
      {"another drains", {A(), Draining(B()), C()}, false, {kB}},
      {"this one drains", {A(), B(), C()}, true, {kA}},
      {"of itself this one knows it better than the store", {Draining(A()), B()}, false, {}},
  };
  for (const HeirsCase& one : cases) {
    SCOPED_TRACE(one.what);
    members_.SetServers(one.servers);
    members_.SetDraining(one.draining);
    for (const StoredServer& server : one.servers) {
      const bool none = std::count(one.none.begin(), one.none.end(), server.incarnation) > 0;
      EXPECT_EQ(Shares(server.incarnation) == 0, none) << server.id;
    }
  }
  members_.SetServers({A(), Gone(B())});
  members_.SetDraining(true);
  EXPECT_THAT(members_.Heirs(kSlots), Each(0u)) << "nobody is left";
}

TEST_F(ClusterMembershipTest, SlotsAreGivenOnlyToOthersThatConnectorsCanFind) {
  EXPECT_TRUE(members_.MayBeGiven(kB));
  EXPECT_FALSE(members_.MayBeGiven(kC)) << "the directory does not list it";
  EXPECT_FALSE(members_.MayBeGiven(kA)) << "it has them";
  EXPECT_FALSE(members_.MayBeGiven(0)) << "nobody should have them";
  members_.SetDraining(true);
  EXPECT_TRUE(members_.MayBeGiven(kC)) << "better there than nowhere";
  EXPECT_FALSE(members_.MayBeGiven(kA));
}

TEST_F(ClusterMembershipTest, AnotherRunWithThisIdThatLivesIsANamesake) {
  EXPECT_FALSE(members_.SetServers({A(), B()}));
  StoredServer twin = A();
  twin.incarnation = kC;
  EXPECT_TRUE(members_.SetServers({Gone(A()), twin}));
  EXPECT_FALSE(members_.SetServers({A(), Gone(twin)}));
  members_.BeginAnew(kC);
  EXPECT_FALSE(members_.SetServers({Gone(A()), twin})) << "it is this one";
}

TEST_F(ClusterMembershipTest, OnlyOthersThatLiveCountAsDraining) {
  EXPECT_FALSE(members_.OthersDrain());
  members_.SetServers({Draining(A()), Gone(Draining(B())), C()});
  EXPECT_FALSE(members_.OthersDrain());
  members_.SetServers({A(), Draining(B())});
  EXPECT_TRUE(members_.OthersDrain());
}

struct GoneCase {
  const char* what;
  std::vector<StoredServer> servers;  // Of the view.
  std::vector<StoredSlot> slots;
  std::vector<uint64_t> gone;
};

TEST_F(ClusterMembershipTest, WhoLivedOrOwnsSlotsAndIsGoneByTheViewIsNewlyGone) {
  members_.SetServers({A(), B(), Gone(C())});
  StoredServer fourth = Gone(C());
  fourth.incarnation = 44;
  const std::vector<GoneCase> cases = {
      {"nobody", {A(), B(), Gone(C())}, {}, {}},
      {"marked", {A(), Gone(B()), Gone(C())}, {}, {kB}},
      {"listed no more", {A(), Gone(C())}, {}, {kB}},
      {"it was known to be gone before", {A(), B()}, {}, {}},
      {"never heard of", {A(), B(), Gone(C()), fourth}, {}, {}},
      {"never heard of, with slots", {A(), B(), Gone(C()), fourth}, {{.slot = 0, .owner = 44}}, {44}},
  };
  for (const GoneCase& one : cases) {
    SCOPED_TRACE(one.what);
    StoreView view;
    view.servers = one.servers;
    view.slots = one.slots;
    std::vector<uint64_t> gone;
    for (const StoredServer& server : members_.NewlyGone(view)) gone.push_back(server.incarnation);
    EXPECT_EQ(gone, one.gone);
  }
}

}  // namespace
}  // namespace hubbub::chat

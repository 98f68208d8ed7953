#include "services/rpc/reachability.h"

#include "gtest/gtest.h"

namespace hubbub::rpc {
namespace {

const grpc::Status kRefused{grpc::StatusCode::UNAVAILABLE,
                            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:6050: "
                            "Failed to connect to remote host: Connection refused"};
const grpc::Status kTimeout{
    grpc::StatusCode::UNAVAILABLE,
    "failed to connect to all addresses; last error: UNKNOWN: Timeout occurred: FD Shutdown"};
const grpc::Status kReset{grpc::StatusCode::UNAVAILABLE, "recvmsg:Connection reset by peer"};

TEST(Reachability, AStreamThatBreaksIsNoLoss) {
  for (const grpc::Status& status : {kReset, kRefused, grpc::Status::CANCELLED, grpc::Status::OK}) {
    Reachability server(0);
    server.Heard();
    server.Ended(status, 60'000);
    EXPECT_FALSE(server.lost());
    server.Heard();
    server.Ended(status, 60'001);
    EXPECT_FALSE(server.lost());
  }
}

TEST(Reachability, AProcessThatHasDiedIsLostAtOnce) {
  Reachability server(0);
  server.Heard();
  server.Ended(kReset, 1'000);
  server.Ended(kRefused, 1'050);
  EXPECT_TRUE(server.lost());
}

TEST(Reachability, OneThatAnswersThatItWillNotIsLostAtOnce) {
  Reachability server(0);
  server.Ended({grpc::StatusCode::UNIMPLEMENTED, "no such method"}, 10);
  EXPECT_TRUE(server.lost());
}

TEST(Reachability, ABusyOneIsLostAfterTwoAttemptsAndASecond) {
  Reachability server(0);
  server.Heard();
  server.Ended(kReset, 10'000);
  server.Ended(kReset, 10'050);
  server.Ended(kReset, 10'150);
  server.Ended(kReset, 10'999);
  EXPECT_FALSE(server.lost()) << "two attempts, but no second";
  server.Ended(kTimeout, 11'000);
  EXPECT_TRUE(server.lost());

  server.Heard();
  EXPECT_FALSE(server.lost());
  server.Ended(kReset, 20'000);
  server.Ended(kTimeout, 22'000);
  EXPECT_FALSE(server.lost()) << "a second, but one attempt";
  server.Ended(kTimeout, 22'050);
  EXPECT_TRUE(server.lost());
  server.Ended(kTimeout, 22'100);
  EXPECT_TRUE(server.lost()) << "until it is heard";
}

TEST(Reachability, PeopleAreToldOnceForEachTime) {
  Reachability server(0);
  server.Heard();
  server.Ended(kReset, 1'000);
  EXPECT_FALSE(server.MayTell(1'000));
  server.Ended(kRefused, 1'050);
  EXPECT_TRUE(server.lost());
  EXPECT_FALSE(server.MayTell(1'050)) << "it may have ended as it should";
  server.Ended(kRefused, 2'000);
  EXPECT_TRUE(server.MayTell(2'000));
  server.Ended(kRefused, 2'100);
  EXPECT_FALSE(server.MayTell(2'100));
  server.Heard();
  server.Ended(kReset, 3'000);
  server.Ended(kRefused, 3'999);
  EXPECT_FALSE(server.MayTell(3'999));
  server.Ended(kRefused, 4'000);
  EXPECT_TRUE(server.MayTell(4'000));
}

TEST(Reachability, PeopleAreNotToldOfAServerThatIsAboutToStart) {
  Reachability server(100'000);
  server.Ended(kRefused, 100'010);
  EXPECT_TRUE(server.lost()) << "others need not wait for it";
  EXPECT_FALSE(server.MayTell(100'010));
  server.Ended(kRefused, 104'999);
  EXPECT_FALSE(server.MayTell(104'999));
  server.Ended(kRefused, 105'000);
  EXPECT_TRUE(server.MayTell(105'000)) << "unless it does not come";
  EXPECT_FALSE(server.MayTell(105'500));
}

}  // namespace
}  // namespace hubbub::rpc

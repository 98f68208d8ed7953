#include "services/net/http_reply.h"

#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::net {
namespace {

using ::testing::ElementsAre;

class HttpReplyTest : public ::testing::Test {
 protected:
  HttpReply Make() {
    return HttpReply([this](HttpResponse response) { statuses_.push_back(response.status); });
  }
  std::vector<int> statuses_;
};

TEST_F(HttpReplyTest, IsSentOnce) {
  {
    HttpReply reply = Make();
    reply.Send({.status = 404, .body = ""});
  }
  EXPECT_THAT(statuses_, ElementsAre(404));
}

TEST_F(HttpReplyTest, AnswersByItselfIfItIsDropped) {
  { const HttpReply reply = Make(); }
  EXPECT_THAT(statuses_, ElementsAre(500));
}

TEST_F(HttpReplyTest, TheDutyMovesAlong) {
  std::optional<HttpReply> kept;
  {
    HttpReply reply = Make();
    kept.emplace(std::move(reply));
  }
  EXPECT_THAT(statuses_, ElementsAre());
  kept->Send({.body = ""});
  kept.reset();
  EXPECT_THAT(statuses_, ElementsAre(200));
}

}  // namespace
}  // namespace hubbub::net

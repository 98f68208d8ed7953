#include "services/engine/query.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/engine/sid.h"

namespace hubbub::engine {
namespace {

TEST(Query, ReadsWhatARequestSays) {
  const Query query = ReadQuery("/socket.io/?a=b&EIO=4&transport=polling&t=x&sid=a%2eb%2G%&&=&j");
  EXPECT_EQ(query.eio, "4");
  EXPECT_EQ(query.transport, "polling");
  EXPECT_EQ(query.sid, "a.b%2G%");
  EXPECT_TRUE(query.jsonp);
  for (const std::string_view target :
       {"", "/socket.io/", "/socket.io/?", "/socket.io/?EIO", "/?#EIO=4", "/?x#?EIO=4"})
    EXPECT_FALSE(VersionOf(ReadQuery(target))) << target;
}

TEST(Query, WritesErrorsAsTheDocumentsHaveThem) {
  const net::HttpResponse response = ErrorResponse(EngineError::kUnknownSid, "say \"why\"");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, R"({"code":1,"message":"Session ID unknown","reason":"say \"why\""})");
  EXPECT_EQ(ErrorResponse(EngineError::kForbidden, "x").status, 403);
}

TEST(Sid, NamesItsPlaceAndCannotBeGuessed) {
  const std::string tag = ServerTag("connector 1/ä");
  EXPECT_EQ(tag, "connector_1___");
  const std::string sid = NewSid(12, tag);
  const auto place = PlaceOf(sid);
  ASSERT_TRUE(place);
  EXPECT_EQ(place->loop, 12u);
  EXPECT_EQ(place->server, tag);
  EXPECT_NE(NewSid(12, tag).substr(0, 32), sid.substr(0, 32));
}

TEST(Sid, RefusesWhatItHasNotMade) {
  const std::string secret(32, '0');
  for (const std::string& sid :
       {std::string(), secret, secret + ".", secret + ".1", secret + ".x.a", secret + ".-1.a",
        secret + ".99999999999999999999999.a", "0" + secret + ".1.a", secret.substr(1) + ".1.a"})
    EXPECT_FALSE(PlaceOf(sid)) << sid;
}

}  // namespace
}  // namespace hubbub::engine

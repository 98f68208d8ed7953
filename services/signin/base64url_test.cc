#include "services/signin/base64url.h"

#include "gtest/gtest.h"

namespace hubbub::signin {
namespace {

TEST(Base64Url, ReadsWhatJoseWrites) {
  EXPECT_EQ(FromBase64Url(""), "");
  EXPECT_EQ(FromBase64Url("Zg"), "f");
  EXPECT_EQ(FromBase64Url("Zm8"), "fo");
  EXPECT_EQ(FromBase64Url("Zm9v"), "foo");
  // RFC 7515, C.
  EXPECT_EQ(FromBase64Url("A-z_4ME"), "\x03\xec\xff\xe0\xc1");
}

TEST(Base64Url, RefusesEverythingElse) {
  for (const char* text :
       {"Zg==", "Zg=", "Z", "Zm9vZ", "Z g", " Zg", "Zg\n", "Zh", "Zm9", "A+z/4ME", "Zm9v.", "\xff"}) {
    EXPECT_EQ(FromBase64Url(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace hubbub::signin

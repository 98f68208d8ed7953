#include "services/rpc/certificates.h"

#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/rpc/testing/test_authority.h"

namespace hubbub::rpc {
namespace {

using ::testing::HasSubstr;

class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() { authority_.Issue("one", {"hubbub://chat/chat-server-1", "https://example.com/"}); }

  CertificateFiles Files() const {
    return {.certificate = authority_.Path("one.pem"),
            .key = authority_.Path("one.key"),
            .authority = authority_.Ca()};
  }
  static int64_t Now() { return absl::ToUnixSeconds(absl::Now()); }
  static std::string WhyNot(const CertificateFiles& files) {
    return std::string(ReadCertificate(files, Now()).status().message());
  }

  TestAuthority authority_;
};

TEST_F(CertificatesTest, SayWhoTheirHolderIsAndWhenTheyEnd) {
  const auto read = ReadCertificate(Files(), Now());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->holder.Text(), "chat/chat-server-1");
  EXPECT_EQ(read->holder.grants.size(), 1);
  EXPECT_NEAR(static_cast<double>(read->expires_s), static_cast<double>(Now() + 3600), 60);
}

TEST_F(CertificatesTest, ThatCannotBeUsedAreSaidToBeSo) {
  CertificateFiles files = Files();
  files.certificate = "/nowhere/at/all";
  EXPECT_THAT(WhyNot(files), HasSubstr("/nowhere/at/all cannot be read"));
  files.certificate = Files().key;
  EXPECT_THAT(WhyNot(files), HasSubstr("one.key holds no certificate in PEM"));
  files = Files();
  files.key = files.certificate;
  EXPECT_THAT(WhyNot(files), HasSubstr("one.pem holds no private key in PEM"));
  files = Files();
  files.authority = files.key;
  EXPECT_THAT(WhyNot(files), HasSubstr("one.key holds no certificate in PEM"));
  authority_.Issue("two", {});
  files = Files();
  files.key = authority_.Path("two.key");
  EXPECT_THAT(WhyNot(files), HasSubstr("two.key is not the key of the certificate in "));
  authority_.Issue("one", {}, /*valid_s=*/-60);
  EXPECT_THAT(WhyNot(Files()), HasSubstr("one.pem has expired"));
}

TEST_F(CertificatesTest, AreForOneServerOrAllOfAKind) {
  const auto named = ReadCertificate(Files(), Now());
  ASSERT_TRUE(named.ok());
  EXPECT_TRUE(CheckHolder(*named, Role::kChat, "chat-server-1").ok());
  EXPECT_THAT(std::string(CheckHolder(*named, Role::kChat, "chat-server-2").message()),
              HasSubstr("is that of chat \"chat-server-1\", who may not speak for another"));
  EXPECT_THAT(std::string(CheckHolder(*named, Role::kGate, "gate-server-1").message()),
              HasSubstr("it needs the URI hubbub://gate or hubbub://gate/gate-server-1"));
  authority_.Issue("one", {"hubbub://chat"});
  const auto any = ReadCertificate(Files(), Now());
  ASSERT_TRUE(any.ok());
  EXPECT_TRUE(CheckHolder(*any, Role::kChat, "chat-server-2").ok());
}

}  // namespace
}  // namespace hubbub::rpc

#include "services/signin/token_checker.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "services/signin/key_files.h"
#include "services/signin/testing/vectors.h"

namespace hubbub::signin {
namespace {

namespace fs = std::filesystem;

class TokenCheckerTest : public ::testing::Test {
 protected:
  TokenCheckerTest() {
    std::string pattern = ::testing::TempDir() + "signin-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~TokenCheckerTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
  }
  static std::string Pem(std::string_view name) { return TextOf(Vectors().at("pems"), name); }
  static std::string Jwks() { return boost::json::serialize(Vectors().at("jwks")); }
  static std::string Token(std::string_view name) {
    for (const auto& vector : Vectors().at("good").get_array()) {
      if (TextOf(vector, "name") == name) return TextOf(vector, "token");
    }
    return {};
  }
  std::unique_ptr<TokenChecker> Open(const std::string& path) const {
    auto checker = TokenChecker::Open(path, {.audience = "hubbub", .issuer = "https://issuer.example"});
    EXPECT_TRUE(checker.ok()) << checker.status();
    return *std::move(checker);
  }

  fs::path folder_;
};

TEST_F(TokenCheckerTest, ChecksTokensByAJwksFile) {
  Write("keys.json", Jwks());
  const auto checker = Open(Path("keys.json"));
  for (const auto& vector : Vectors().at("good").get_array()) {
    const auto pass = checker->Check(TextOf(vector, "token"), kNowMs);
    ASSERT_TRUE(pass.ok()) << TextOf(vector, "name") << pass.status();
    EXPECT_EQ(pass->user, "ada");
    EXPECT_TRUE(pass->Names("team-1"));
    EXPECT_FALSE(pass->Names("other"));
  }
  EXPECT_FALSE(checker->Check(Token("RS256 with kid"), kNowMs * 10).ok());
}

TEST_F(TokenCheckerTest, AFileOfAFolderNamesItsKey) {
  Write("rs.pem", Pem("rs"));
  Write("es.pem", Pem("es"));
  Write(".hidden.pem", "junk");
  Write("README", "junk");
  const auto checker = Open(folder_);
  EXPECT_TRUE(checker->Check(Token("RS256 with kid"), kNowMs).ok());
  EXPECT_TRUE(checker->Check(Token("ES256 without kid"), kNowMs).ok());
  EXPECT_FALSE(checker->Check(Token("EdDSA with kid"), kNowMs).ok());
}

TEST_F(TokenCheckerTest, ASecretMayEndWithALineFeed) {
  Write("hs.secret", std::string(32, 's') + "\n");
  const auto set = ReadKeys(Path("hs.secret"));
  ASSERT_TRUE(set.ok()) << set.status();
  EXPECT_EQ(set->keys.front().id(), "hs");
  Write("hs.secret", std::string(31, 's') + "\n");
  EXPECT_FALSE(ReadKeys(Path("hs.secret")).ok());
}

TEST_F(TokenCheckerTest, SaysWhichFileIsWrong) {
  const struct {
    const char* file;
    std::string text;
    const char* why;
  } cases[] = {
      {"a.pem", "junk", "a.pem: it holds no public key"},
      {"a.json", "{}", "a.json: it has neither"},
      {"a.json", R"({"keys":[]})", "holds no key for sign-in"},
      {"a.txt", "junk", "a.txt has a name that does not say"},
      {"a.secret", "short", "a.secret: the secret has 5 bytes"},
      {"a.pem", std::string(2'000'000, '-'), "a.pem has more than"},
  };
  for (const auto& one : cases) {
    Write(one.file, one.text);
    const auto checker = TokenChecker::Open(Path(one.file), {});
    ASSERT_FALSE(checker.ok()) << one.file;
    EXPECT_NE(std::string(checker.status().message()).find(one.why), std::string::npos) << checker.status();
  }
  EXPECT_TRUE(absl::IsNotFound(TokenChecker::Open(Path("none.pem"), {}).status()));
  fs::create_directory(Path("empty"));
  EXPECT_FALSE(TokenChecker::Open(Path("empty"), {}).ok());
}

TEST_F(TokenCheckerTest, ReadsFilesAgainThatHaveChanged) {
  Write("rs.pem", Pem("rs"));
  const auto checker = Open(folder_);
  EXPECT_FALSE(checker->Check(Token("EdDSA with kid"), kNowMs).ok());
  Write("ed.pem", Pem("ed"));
  checker->Poll();
  EXPECT_TRUE(checker->Check(Token("EdDSA with kid"), kNowMs).ok());
  EXPECT_TRUE(checker->Check(Token("RS256 with kid"), kNowMs).ok());
  fs::remove(Path("rs.pem"));
  checker->Poll();
  EXPECT_FALSE(checker->Check(Token("RS256 with kid"), kNowMs).ok());
}

TEST_F(TokenCheckerTest, AFileThatIsReplacedInPlaceIsReadAgain) {
  Write("rs.pem", Pem("es"));
  const auto checker = Open(Path("rs.pem"));
  Write("new", Pem("rs"));
  fs::rename(Path("new"), Path("rs.pem"));
  checker->Poll();
  EXPECT_TRUE(checker->Check(Token("RS256 with kid"), kNowMs).ok());
}

TEST_F(TokenCheckerTest, KeepsItsKeysWhileTheFilesAreWrong) {
  Write("rs.pem", Pem("rs"));
  const auto checker = Open(folder_);
  Write("rs.pem", "half of a fi");
  checker->Poll();
  EXPECT_TRUE(checker->Check(Token("RS256 with kid"), kNowMs).ok());
  fs::remove(Path("rs.pem"));
  checker->Poll();
  EXPECT_TRUE(checker->Check(Token("RS256 with kid"), kNowMs).ok());
}

}  // namespace
}  // namespace hubbub::signin

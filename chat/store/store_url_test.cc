#include "chat/store/store_url.h"

#include "chat/store/open_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace hubbub::chat {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(StoreUrl, AFilesPathIsTakenAsItIs) {
  const std::pair<std::string, std::string> cases[] = {
      {"sqlite:hubbub.db", "hubbub.db"},
      {"sqlite:./data/hubbub.db", "./data/hubbub.db"},
      {"sqlite:/var/lib/hubbub.db", "/var/lib/hubbub.db"},
      {"sqlite:///var/lib/hubbub.db", "/var/lib/hubbub.db"},
      {"sqlite:a b?c=d%20.db", "a b?c=d%20.db"},
  };
  for (const auto& [text, path] : cases) {
    const auto url = ParseStoreUrl(text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->kind, StoreUrl::Kind::kSqlite) << text;
    EXPECT_EQ(url->path, path) << text;
  }
}

TEST(StoreUrl, PostgresIsKnownByBothOfItsNames) {
  for (const char* text :
       {"postgres://db/hubbub", "postgresql://db:5432/hubbub",
        "postgres://chat@db/hubbub?sslmode=verify-full", "postgres:///hubbub?host=/run/postgresql",
        "postgres://chat@a:1,b:2/hubbub", "postgres://chat@[::1]:5432/hubbub"}) {
    const auto url = ParseStoreUrl(text);
    ASSERT_TRUE(url.ok()) << url.status();
    EXPECT_EQ(url->kind, StoreUrl::Kind::kPostgres) << text;
  }
}

TEST(StoreUrl, APasswordIsRefusedAndNotShown) {
  for (const char* text :
       {"postgres://chat:secret@db/hubbub", "postgresql://chat:secret@db/hubbub",
        "postgres://chat:@db/hubbub", "postgres://db/hubbub?password=secret",
        "postgres://db/hubbub?sslmode=require&password=secret", "postgres://db/hubbub?p%61ssword=secret",
        "postgres://db/hubbub?sslpassword=secret", "postgres://chat:sec/ret@db/hubbub",
        "postgres://chat:sec?ret@db/hubbub", "postgres://chat:sec@ret@db/hubbub"}) {
    const absl::Status status = CheckStoreUrl(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr("PGPASSWORD")) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("sec"))) << text;
  }
}

TEST(StoreUrl, WhatIsWrongIsSaid) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "is empty"},
      {"hubbub.db", "no scheme"},
      {"mysql://root:secret@db/hubbub", "\"mysql\""},
      {"postgres:db", "\"//\""},
      {"postgres://db", "no database"},
      {"postgres://db/", "no database"},
      {"postgres://db/?sslmode=require", "no database"},
      {"sqlite:", "no path"},
      {"sqlite://host/hubbub.db", "host"},
      {"sqlite::memory:", "memory"},
      {"sqlite:data/", "folder"},
      {"sqlite:a\nb", "control character"},
  };
  for (const auto& [text, word] : cases) {
    const absl::Status status = CheckStoreUrl(text);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(word)) << text;
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("secret"))) << text;
  }
}

TEST(StoreUrl, NoStoreIsOpenedByAWrongOne) {
  EXPECT_EQ(OpenStore({.url = "redis:x"}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace hubbub::chat

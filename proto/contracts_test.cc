// What holds for every message of the contracts.
#include <algorithm>
#include <string>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"
#include "hubbub/chat/v1/chat.pb.h"
#include "hubbub/chat/v1/peer.pb.h"
#include "hubbub/connector/v1/connector.pb.h"
#include "hubbub/directory/v1/identity.pb.h"
#include "hubbub/directory/v1/status.pb.h"
#include "hubbub/gate/v1/gate.pb.h"

namespace hubbub {
namespace {

using google::protobuf::Descriptor;

std::vector<const Descriptor*> Messages() {
  std::vector<const Descriptor*> messages;
  for (const auto* file :
       {chat::v1::AddRequest::descriptor()->file(), chat::v1::WatchRequest::descriptor()->file(),
        connector::v1::PushRequest::descriptor()->file(),
        directory::v1::GetIdentityRequest::descriptor()->file(),
        directory::v1::WatchStatusRequest::descriptor()->file(),
        gate::v1::ListServersRequest::descriptor()->file()}) {
    for (int i = 0; i < file->message_type_count(); ++i) messages.push_back(file->message_type(i));
  }
  return messages;
}

// A number that a message had once must not come back with another meaning.
TEST(Contracts, EveryNumberIsAFieldsOrReserved) {
  for (const Descriptor* message : Messages()) {
    int last = 0;
    for (int i = 0; i < message->field_count(); ++i) last = std::max(last, message->field(i)->number());
    for (int number = 1; number <= last; ++number) {
      EXPECT_TRUE(message->FindFieldByNumber(number) != nullptr || message->IsReservedNumber(number))
          << message->full_name() << " has no field " << number << ", and does not reserve it";
    }
  }
}

TEST(Contracts, WhatWasRemovedIsReserved) {
  const struct {
    const Descriptor* message;
    int number;
    const char* name;
  } removed[] = {
      {chat::v1::AddRequest::descriptor(), 9, "restore"},
  };
  for (const auto& field : removed) {
    EXPECT_TRUE(field.message->IsReservedNumber(field.number)) << field.name;
    EXPECT_TRUE(field.message->IsReservedName(field.name)) << field.name;
  }
}

}  // namespace
}  // namespace hubbub

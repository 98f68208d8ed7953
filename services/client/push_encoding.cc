#include "services/client/push_encoding.h"

#include <utility>

namespace hubbub::client {

const PushEncodings::Group& PushEncodings::Add(std::unique_ptr<const PushFormat> format,
                                               std::initializer_list<net::Framing> framings) {
  auto group = std::make_unique<Group>();
  for (const net::Framing framing : framings)
    group->push_back(std::make_unique<const PushEncoding>(size_++, *format, framing));
  formats_.push_back(std::move(format));
  return *groups_.emplace_back(std::move(group));
}

}  // namespace hubbub::client

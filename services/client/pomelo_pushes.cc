#include "services/client/pomelo_pushes.h"

#include <memory>

namespace hubbub::client {
namespace {

class PomeloFormat final : public PushFormat {
 public:
  PomeloFormat(const ClientContract& contract, WireFormat format) : contract_(contract), format_(format) {}
  void AppendPush(std::string_view route, const PushBody& body, std::string& out) const override {
    contract_.AppendPush(format_, route, body, out);
  }

 private:
  const ClientContract& contract_;
  const WireFormat format_;
};

}  // namespace

PomeloPushes::PomeloPushes(const ClientContract& contract, PushEncodings& encodings) {
  for (size_t i = 0; i < groups_.size(); ++i) {
    groups_[i] = &encodings.Add(std::make_unique<PomeloFormat>(contract, static_cast<WireFormat>(i)),
                                {net::Framing::kNone, net::Framing::kBinary});
  }
}

const PushEncoding& PomeloPushes::Of(WireFormat format, net::Framing framing) const {
  const PushEncodings::Group& group = *groups_[static_cast<size_t>(format)];
  return framing == net::Framing::kNone ? *group[0] : *group[1];
}

}  // namespace hubbub::client

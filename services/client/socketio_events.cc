#include "services/client/socketio_events.h"

#include <algorithm>
#include <array>
#include <utility>

#include "services/client/contract.h"
#include "services/socketio/pomelo_text.h"

namespace hubbub::client {
namespace {

// Of requests.
struct ShortName {
  std::string_view name;
  std::string_view route;
};
constexpr std::array kShortNames{
    ShortName{"enter", route::kEnter},
    ShortName{"leave", route::kLeave},
    ShortName{"send", route::kSend},
    ShortName{"history", route::kHistory},
    ShortName{"queryEntry", route::kQueryEntry},
};

}  // namespace

std::string_view RouteOfEvent(std::string_view name) {
  const auto* const found = std::find_if(kShortNames.begin(), kShortNames.end(),
                                         [&](const ShortName& one) { return one.name == name; });
  return found == kShortNames.end() ? name : found->route;
}

std::optional<std::string> PomeloTextOf(const socketio::Event& event) {
  if (event.name != socketio::kPomeloEvent || event.arguments != 1) return std::nullopt;
  auto text = socketio::ReadString(event.argument);
  if (!text.ok()) return std::nullopt;
  const auto request = socketio::DecodePomeloText(*text);
  // Other applications send texts too.
  if (!request.ok() || request->route.find('.') == std::string_view::npos) return std::nullopt;
  return *std::move(text);
}

}  // namespace hubbub::client

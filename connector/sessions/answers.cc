#include "connector/sessions/answers.h"

#include "connector/delivery/event_body.h"
#include "services/base/json_text.h"
#include "services/pomelo/body.h"

namespace hubbub::connector {
namespace {

// Users and events together stay below the 124 KB that the stock JavaScript client can read.
constexpr size_t kMaxStockEventsBytes = size_t{32} * 1024;
constexpr size_t kMaxEventsBytes = size_t{512} * 1024;
constexpr size_t kMaxUserListBytes = size_t{60} * 1024;

}  // namespace

boost::json::object UserList(const google::protobuf::RepeatedPtrField<std::string>& users, uint32_t total) {
  boost::json::array names;
  size_t bytes = 0;
  for (const std::string& user : users) {
    bytes += JsonSize(user) + 3;
    if (bytes > kMaxUserListBytes) break;
    names.emplace_back(user);
  }
  return {{"users", std::move(names)}, {"total", total}};
}

void AddMissed(const chat::v1::AddResponse& response, bool small_answers, boost::json::object& answer) {
  boost::json::array events = PushBodies(response.missed_events());
  const size_t most = small_answers ? kMaxStockEventsBytes : kMaxEventsBytes;
  const bool all = response.recovered() && pomelo::JsonBody(events).size() <= most;
  answer["recovered"] = all;
  answer["events"] = all ? std::move(events) : boost::json::array();
}

boost::json::object HistoryPage(const chat::v1::ListEventsResponse& response, bool small_answers) {
  boost::json::array events = PushBodies(response.events());
  const size_t most = small_answers ? kMaxStockEventsBytes : kMaxEventsBytes;
  // From the newest back.
  size_t first = events.size();
  for (size_t bytes = 0; first > 0; --first) {
    bytes += pomelo::JsonBody(events[first - 1]).size() + 1;
    if (bytes > most && first < events.size()) break;
  }
  const uint64_t next =
      first == 0 ? response.next_before() : response.events(static_cast<int>(first)).offset();
  events.erase(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(first));
  return {{"code", 200}, {"events", std::move(events)}, {"next", next}};
}

}  // namespace hubbub::connector

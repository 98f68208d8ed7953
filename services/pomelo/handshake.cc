#include "services/pomelo/handshake.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "services/base/stable_hash.h"
#include "services/pomelo/body.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

std::string StringOr(const json::object& object, json::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return {value->get_string().data(), value->get_string().size()};
}

// Pomelo's clients name their type; Pitaya's do not, but have at least one of these members.
bool IsPitaya(const json::object& sys) {
  return !sys.contains("type") &&
         (sys.contains("platform") || sys.contains("libVersion") || sys.contains("clientBuildNumber"));
}

// The same value with the keys of all its objects in byte order, for a text that depends on contents alone.
json::value Sorted(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return value;  // Compiled schemas hold no arrays.
  std::vector<const json::key_value_pair*> members;
  for (const json::key_value_pair& member : *object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key() < b->key(); });
  json::object sorted(members.size());
  for (const auto* member : members) sorted.emplace(member->key(), Sorted(member->value()));
  return sorted;
}

// Both halves are always there: the Unity client reads both unasked.
json::value Protos(const HandshakeOptions& options) {
  const auto half = [](const Schema* schema) {
    return schema == nullptr ? json::object() : schema->ToJson();
  };
  return Sorted(
      json::object{{"server", half(options.server_protos)}, {"client", half(options.client_protos)}});
}

}  // namespace

HandshakeRequest ParseHandshakeRequest(std::string_view body) {
  HandshakeRequest request;
  absl::StatusOr<json::object> parsed = ParseJsonBody(body);
  if (!parsed.ok()) return request;
  if (json::value* user = parsed->if_contains("user"); user != nullptr) request.user = std::move(*user);
  const json::value* sys_value = parsed->if_contains("sys");
  const json::object* sys = sys_value == nullptr ? nullptr : sys_value->if_object();
  if (sys == nullptr) return request;
  request.has_sys = true;
  request.type = StringOr(*sys, "type");
  request.version = StringOr(*sys, "version");
  request.pitaya = IsPitaya(*sys);
  request.dict_version = StringOr(*sys, "dictVersion");
  request.proto_version = StringOr(*sys, "protoVersion");
  return request;
}

TextEncoding TextEncodingOf(const HandshakeRequest& request) {
  return request.type == "js-websocket" ? TextEncoding::kCesu8 : TextEncoding::kUtf8;
}

ServerHandshake::ServerHandshake(const HandshakeOptions& options) {
  json::object base;
  if (options.heartbeat) base["heartbeat"] = options.heartbeat->count();

  json::object dict;
  if (options.dictionary != nullptr) {
    dict_version_ = options.dictionary->version();
    base["useDict"] = true;
    dict["dict"] = dict["routeToCode"] = options.dictionary->RouteToCode();
    dict["codeToRoute"] = options.dictionary->CodeToRoute();
    dict["dictVersion"] = dict_version_;
  }

  json::object protos;
  if (options.server_protos != nullptr || options.client_protos != nullptr) {
    base["useProto"] = true;
    json::value contents = Protos(options);
    protos_version_ = fmt::format("{:016x}", StableHash(json::serialize(contents)));
    contents.as_object()["version"] = protos_version_;
    protos["protos"] = std::move(contents);
  }

  for (const bool with_dict : {false, true}) {
    for (const bool with_protos : {false, true}) {
      json::object sys = base;
      if (with_dict) sys.insert(dict.begin(), dict.end());
      if (with_protos) sys.insert(protos.begin(), protos.end());
      sys_[with_dict][with_protos] = JsonBody(sys);
    }
  }
}

std::string ServerHandshake::Accept(const HandshakeRequest& request, const json::value* user) const {
  const bool with_dict = request.dict_version != dict_version_;
  const bool with_protos = request.proto_version != protos_version_;
  std::string answer = fmt::format(R"({{"code":200,"sys":{})", sys_[with_dict][with_protos]);
  if (user != nullptr) {
    answer += R"(,"user":)";
    answer += JsonBody(*user);
  }
  answer += '}';
  return answer;
}

std::string ServerHandshake::Refuse(HandshakeCode code) {
  return fmt::format(R"({{"code":{}}})", static_cast<int>(code));
}

}  // namespace hubbub::pomelo

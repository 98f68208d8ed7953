#include "bench/terms.h"

#include <variant>

#include "absl/status/status.h"
#include "boost/json.hpp"
#include "services/pomelo/package.h"

namespace hubbub::bench {
namespace {

constexpr uint32_t kLengthDelimited = 2;

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

}  // namespace

std::string HandshakeBody(std::string_view client) {
  boost::json::object sys{{"version", "0.0.1"}, {"rsa", boost::json::object()}};
  if (!client.empty()) sys["type"] = client;
  return boost::json::serialize(
      boost::json::object{{"sys", std::move(sys)}, {"user", boost::json::object()}});
}

absl::StatusOr<Terms> Terms::Parse(std::string_view answer) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(answer, error);
  const std::string shown(answer.substr(0, 200));
  if (error || !value.is_object())
    return absl::InvalidArgumentError("the handshake's answer is no JSON object: " + shown);
  const boost::json::object& body = value.as_object();
  const auto* code = body.if_contains("code");
  if (code == nullptr || !code->is_int64() || code->as_int64() != 200) {
    return absl::InvalidArgumentError("the server refused the handshake: " + shown);
  }
  Terms terms;
  const auto* sys = body.if_contains("sys");
  if (sys == nullptr || !sys->is_object()) return terms;
  if (const auto* heartbeat = sys->as_object().if_contains("heartbeat");
      heartbeat != nullptr && heartbeat->is_number()) {
    terms.heartbeat_ns_ = static_cast<int64_t>(heartbeat->to_number<double>() * 1e9);
  }
  if (const auto* dict = sys->as_object().if_contains("dict"); dict != nullptr && dict->is_object()) {
    for (const auto& [name, number] : dict->as_object()) {
      if (number.is_int64()) terms.codes_[std::string(name)] = static_cast<uint16_t>(number.as_int64());
    }
  }
  const auto* protos = sys->as_object().if_contains("protos");
  const auto* client =
      protos != nullptr && protos->is_object() ? protos->as_object().if_contains("client") : nullptr;
  if (client == nullptr || !client->is_object()) return terms;
  for (const auto& [name, shape] : client->as_object()) {
    if (!shape.is_object()) continue;
    Tags& tags = terms.tags_[std::string(name)];
    for (const auto& [field, what] : shape.as_object()) {
      if (field.starts_with("__") || !what.is_object()) continue;
      const auto* type = what.as_object().if_contains("type");
      const auto* tag = what.as_object().if_contains("tag");
      if (type == nullptr || *type != "string" || tag == nullptr || !tag->is_int64()) continue;
      tags[std::string(field)] = static_cast<uint32_t>(tag->as_int64());
    }
  }
  return terms;
}

void Terms::AppendRequest(uint64_t id, std::string_view route, Fields fields, std::string& out) const {
  const size_t package = pomelo::BeginPackage(pomelo::PackageType::kData, out);
  const auto code = codes_.find(route);
  pomelo::AppendRequestHead(id, code == codes_.end() ? pomelo::Route(route) : pomelo::Route(code->second),
                            out);
  if (const auto tags = tags_.find(route); tags != tags_.end()) {
    for (const auto& [field, text] : fields) {
      const auto tag = tags->second.find(field);
      if (tag == tags->second.end()) continue;
      AppendVarint(tag->second << 3 | kLengthDelimited, out);
      AppendVarint(text.size(), out);
      out += text;
    }
  } else {
    char before = '{';
    for (const auto& [field, text] : fields) {
      out += before;
      out += '"';
      out += field;
      out += "\":\"";
      out += text;
      out += '"';
      before = ',';
    }
    out += '}';
  }
  pomelo::EndPackage(package, out);
}

bool Terms::Is(const pomelo::Route& route, std::string_view name) const {
  if (const auto* text = std::get_if<std::string_view>(&route)) return *text == name;
  const auto code = codes_.find(name);
  return code != codes_.end() && code->second == std::get<uint16_t>(route);
}

}  // namespace hubbub::bench

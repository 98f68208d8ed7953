#include "services/rpc/roles.h"

#include <algorithm>
#include <array>
#include <bitset>

#include "fmt/format.h"

namespace hubbub::rpc {
namespace {

constexpr std::array<std::string_view, 6> kNames = {"gate", "connector", "chat", "publish", "read", "admin"};
constexpr std::string_view kScheme = "hubbub://";
// A URI of a certificate may be long; a name is for comparing and for logs.
constexpr size_t kMaxNameBytes = 64;

constexpr uint8_t Bit(Role role) {
  return static_cast<uint8_t>(1U << static_cast<unsigned>(role));
}

constexpr uint8_t kGate = Bit(Role::kGate);
constexpr uint8_t kConnector = Bit(Role::kConnector);
constexpr uint8_t kChat = Bit(Role::kChat);
constexpr uint8_t kPublish = Bit(Role::kPublish);
constexpr uint8_t kRead = Bit(Role::kRead);
constexpr uint8_t kAdmin = Bit(Role::kAdmin);
constexpr uint8_t kServers = kGate | kConnector | kChat;
// Every caller that has shown a certificate or a token with a role.
constexpr uint8_t kAll = kServers | kPublish | kRead | kAdmin;
// Every caller, also one that has shown nothing.
constexpr uint8_t kAnybody = 1U << 7;

struct Row {
  std::string_view method;
  uint8_t roles;
};

// Who may call what. A method that is not here nobody may call. Servers pass calls of back ends on: a chat
// server to the owner of the room, connectors and gates to the other connectors.
constexpr auto kTable = std::to_array<Row>({
    {"/hubbub.chat.v1.ChatService/Add", kConnector},
    {"/hubbub.chat.v1.ChatService/Kick", kConnector | kChat | kAdmin},
    {"/hubbub.chat.v1.ChatService/Send", kChat | kPublish},
    {"/hubbub.chat.v1.ChatService/SendStream", kConnector},
    {"/hubbub.chat.v1.ChatService/Subscribe", kConnector},
    {"/hubbub.chat.v1.ChatService/Restore", kConnector},
    {"/hubbub.chat.v1.ChatService/GetRoom", kChat | kRead},
    {"/hubbub.chat.v1.ChatService/ListRooms", kRead},
    {"/hubbub.chat.v1.HistoryService/ListEvents", kConnector | kRead},
    {"/hubbub.chat.v1.HistoryService/ExportEvents", kAdmin},
    {"/hubbub.chat.v1.HistoryService/DeleteRoom", kChat | kAdmin},
    {"/hubbub.chat.v1.PeerService/Watch", kChat},
    {"/hubbub.chat.v1.PeerService/Import", kChat},
    {"/hubbub.connector.v1.ConnectorService/WatchStatus", kGate | kRead},
    {"/hubbub.connector.v1.ConnectorService/Disconnect", kGate | kConnector | kAdmin},
    {"/hubbub.connector.v1.ConnectorService/Push", kGate | kConnector | kPublish},
    {"/hubbub.connector.v1.ConnectorService/Broadcast", kGate | kConnector | kPublish},
    {"/hubbub.gate.v1.GateService/QueryEntry", kRead},
    {"/hubbub.gate.v1.GateService/ListServers", kRead},
    {"/hubbub.directory.v1.IdentityService/GetIdentity", kServers | kRead},
    {"/hubbub.directory.v1.StatusService/WatchStatus", kGate | kRead},
    {"/grpc.health.v1.Health/Check", kAnybody},
    {"/grpc.health.v1.Health/List", kAnybody},
    {"/grpc.health.v1.Health/Watch", kAnybody},
    {"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", kAll},
    {"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", kAll},
});

const Row* RowOf(std::string_view method) {
  const auto* const row =
      std::find_if(kTable.begin(), kTable.end(), [method](const Row& one) { return one.method == method; });
  return row == kTable.end() ? nullptr : row;
}

// Such as "connector, chat or admin".
std::string Names(uint8_t roles) {
  std::vector<std::string_view> names;
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (std::bitset<8>(roles).test(i)) names.push_back(kNames.at(i));
  }
  std::string text;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

// "ChatService/Send": what is before it does not help a reader.
std::string_view ShortName(std::string_view method) {
  const size_t slash = method.rfind('/');
  const size_t dot = method.rfind('.', slash);
  return method.substr(dot == std::string_view::npos ? 0 : dot + 1);
}

}  // namespace

std::string_view NameOf(Role role) {
  return kNames.at(static_cast<size_t>(role));
}

std::optional<Role> RoleNamed(std::string_view name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Role>(found - kNames.begin());
}

bool IsServer(Role role) {
  return (Bit(role) & kServers) != 0;
}

std::optional<Grant> GrantOfUri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const size_t slash = std::min(uri.find('/'), uri.size());
  const std::optional<Role> role = RoleNamed(uri.substr(0, slash));
  const std::string_view name = uri.substr(std::min(slash + 1, uri.size()));
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (!role || !plain || name.size() > kMaxNameBytes) return std::nullopt;
  return Grant{.role = *role, .name = std::string(name)};
}

bool Caller::Has(Role role) const {
  return std::any_of(grants.begin(), grants.end(), [role](const Grant& grant) { return grant.role == role; });
}

bool Caller::IsServer() const {
  return std::any_of(grants.begin(), grants.end(),
                     [](const Grant& grant) { return rpc::IsServer(grant.role); });
}

std::string Caller::Text() const {
  if (grants.empty()) return "a certificate without a role";
  const Grant& first = grants.front();
  return fmt::format("{}{}{}", NameOf(first.role), first.name.empty() ? "" : "/", first.name);
}

absl::Status MayCall(std::string_view method, const Caller* caller) {
  const Row* const row = RowOf(method);
  if (row == nullptr) return absl::PermissionDeniedError("no role may call a method of this name");
  if ((row->roles & kAnybody) != 0) return absl::OkStatus();
  if (caller == nullptr) {
    return absl::UnauthenticatedError(
        fmt::format("{} needs a certificate with the role {}, or a token, as the metadata \"authorization: "
                    "Bearer TOKEN\"",
                    ShortName(method), Names(row->roles)));
  }
  for (const Grant& grant : caller->grants) {
    if ((row->roles & Bit(grant.role)) != 0) return absl::OkStatus();
  }
  return absl::PermissionDeniedError(fmt::format("{} may not call {}: it needs the role {}", caller->Text(),
                                                 ShortName(method), Names(row->roles)));
}

absl::Status MaySpeakFor(const Caller& caller, Role role, std::string_view name) {
  const Grant* other = nullptr;
  for (const Grant& grant : caller.grants) {
    if (grant.role != role) continue;
    if (grant.name.empty() || grant.name == name) return absl::OkStatus();
    other = &grant;
  }
  if (other == nullptr) return absl::OkStatus();
  return absl::PermissionDeniedError(fmt::format(
      "the certificate is that of {} \"{}\", who may not speak for another", NameOf(role), other->name));
}

bool IsAdministration(std::string_view method) {
  const Row* const row = RowOf(method);
  return row != nullptr && (row->roles & kAdmin) != 0 && (row->roles & (kPublish | kRead)) == 0;
}

std::vector<std::string_view> MethodsWithRoles() {
  std::vector<std::string_view> methods;
  methods.reserve(kTable.size());
  for (const Row& row : kTable) methods.push_back(row.method);
  return methods;
}

}  // namespace hubbub::rpc

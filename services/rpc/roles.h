#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

// Who may call what by gRPC. Pure.
namespace hubbub::rpc {

// What a caller is: a kind of server, or a scope of a back end.
enum class Role : uint8_t { kGate, kConnector, kChat, kPublish, kRead, kAdmin };

// As certificates and token files write it, such as "connector".
std::string_view NameOf(Role role);
std::optional<Role> RoleNamed(std::string_view name);
// A gate, connector or chat server.
bool IsServer(Role role);

// A role that a caller has shown, and whom its certificate or token names.
struct Grant {
  Role role;
  std::string name;  // A server's id, or a back end's name; empty: any.
};

// The grant in a URI of a certificate's subject alternative names, hubbub://ROLE or hubbub://ROLE/NAME;
// nothing if it says no such thing.
std::optional<Grant> GrantOfUri(std::string_view uri);

// What a caller has shown.
struct Caller {
  std::vector<Grant> grants;

  bool Has(Role role) const;
  bool IsServer() const;
  // For texts, such as "connector/connector-server-1"; "a certificate without a role" if there is none.
  std::string Text() const;
};

// Whether the caller may call the method, which is as gRPC has it: "/hubbub.chat.v1.ChatService/Send". Null:
// it has shown no certificate and no token. UNAUTHENTICATED and PERMISSION_DENIED say what is missing.
absl::Status MayCall(std::string_view method, const Caller* caller);

// PERMISSION_DENIED if the caller is a server of this role whose certificate names another than `name`.
absl::Status MaySpeakFor(const Caller& caller, Role role, std::string_view name);

// True if only servers and `admin` may call the method: what an administrator does is audited.
bool IsAdministration(std::string_view method);

// Every method of the table, for tests.
std::vector<std::string_view> MethodsWithRoles();

}  // namespace hubbub::rpc

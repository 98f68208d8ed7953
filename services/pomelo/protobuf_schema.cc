#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/pomelo/protobuf.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

constexpr std::string_view kOptions[] = {"required", "optional", "repeated"};

constexpr std::pair<std::string_view, FieldKind> kKinds[] = {
    {"uInt32", FieldKind::kUInt32}, {"sInt32", FieldKind::kSInt32}, {"int32", FieldKind::kSInt32},
    {"uInt64", FieldKind::kUInt64}, {"sInt64", FieldKind::kSInt64}, {"int64", FieldKind::kSInt64},
    {"bool", FieldKind::kBool},     {"float", FieldKind::kFloat},   {"double", FieldKind::kDouble},
    {"string", FieldKind::kString},
};

// The stock library shifts `tag << 3` as a signed 32-bit number.
constexpr int64_t kMaxTag = (1 << 28) - 1;

std::string_view View(json::string_view s) {
  return {s.data(), s.size()};
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t space; (space = text.find(' ')) != text.npos; text.remove_prefix(space + 1)) {
    words.push_back(text.substr(0, space));
  }
  words.push_back(text);
  return words;
}

FieldKind KindOf(std::string_view type) {
  for (const auto& [name, kind] : kKinds) {
    if (name == type) return kind;
  }
  return FieldKind::kMessage;
}

// Collects the shapes of a whole schema; types that name a message are looked up when all are known.
class SchemaParser {
 public:
  SchemaParser(std::vector<MessageShape>& shapes, StringMap<size_t>& roots)
      : shapes_(shapes), roots_(roots) {}

  absl::Status Parse(const json::object& protos) {
    for (const auto& [key, value] : protos) {
      const std::string_view name = View(key);
      absl::StatusOr<size_t> shape = ParseMessage(std::string(name), value, 1);
      if (!shape.ok()) return std::move(shape).status();
      roots_[name] = *shape;
    }
    for (MessageShape& shape : shapes_) {
      for (FieldShape& field : shape.fields) {
        if (absl::Status status = Resolve(shape, field); !status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status Error(std::string_view path, std::string_view key, std::string_view problem) {
    return absl::InvalidArgumentError(fmt::format("protobuf schema, {}, \"{}\": {}", path, key, problem));
  }

  absl::StatusOr<size_t> ParseMessage(std::string path, const json::value& value, size_t depth) {
    const json::object* object = value.if_object();
    if (object == nullptr)
      return absl::InvalidArgumentError(fmt::format("protobuf schema, {}: not an object", path));
    if (depth > kMaxMessageDepth) {
      return absl::InvalidArgumentError(
          fmt::format("protobuf schema, {}: nested deeper than {}", path, kMaxMessageDepth));
    }
    MessageShape shape;
    shape.path = std::move(path);
    for (const auto& [key, member] : *object) {
      if (absl::Status status = ParseMember(View(key), member, depth, shape); !status.ok()) return status;
    }
    shapes_.push_back(std::move(shape));
    return shapes_.size() - 1;
  }

  absl::Status ParseMember(std::string_view key, const json::value& value, size_t depth,
                           MessageShape& shape) {
    const std::vector<std::string_view> words = Words(key);
    if (words[0] == "message") {
      if (words.size() != 2 || words[1].empty())
        return Error(shape.path, key, "a message type is written \"message Name\"");
      absl::StatusOr<size_t> nested =
          ParseMessage(fmt::format("{}.{}", shape.path, words[1]), value, depth + 1);
      if (!nested.ok()) return std::move(nested).status();
      shape.nested.emplace_back(words[1], *nested);
      return absl::OkStatus();
    }
    const auto* option = std::find(std::begin(kOptions), std::end(kOptions), words[0]);
    if (option == std::end(kOptions) || words.size() != 3 || words[1].empty() || words[2].empty()) {
      return Error(shape.path, key,
                   "a field is written \"required|optional|repeated type name\", with single spaces");
    }
    return AddField(key, static_cast<FieldOption>(option - kOptions), words[1], words[2], value, shape);
  }

  static absl::Status AddField(std::string_view key, FieldOption option, std::string_view type,
                               std::string_view name, const json::value& tag, MessageShape& shape) {
    if (!tag.is_int64() || tag.get_int64() < 1 || tag.get_int64() > kMaxTag) {
      return Error(shape.path, key, fmt::format("the tag is not a whole number from 1 to {}", kMaxTag));
    }
    if (name.starts_with("__"))
      return Error(shape.path, key, "names that begin with __ belong to the compiled form");
    if ((type == "bool" || type == "int64") && option == FieldOption::kRepeated) {
      return Error(shape.path, key,
                   "clients do not agree on the form of a repeated bool or int64: use uInt32 or sInt64");
    }
    FieldShape field;
    field.name = std::string(name);
    field.type = std::string(type);
    field.option = option;
    field.kind = KindOf(type);
    field.tag = static_cast<uint32_t>(tag.get_int64());
    if (!shape.by_tag.emplace(field.tag, shape.fields.size()).second) {
      return Error(shape.path, key, fmt::format("tag {} is taken by another field", field.tag));
    }
    if (!shape.by_name.emplace(field.name, shape.fields.size()).second) {
      return Error(shape.path, key, "the name is taken by another field");
    }
    shape.fields.push_back(std::move(field));
    return absl::OkStatus();
  }

  absl::Status Resolve(const MessageShape& shape, FieldShape& field) const {
    if (field.kind != FieldKind::kMessage) return absl::OkStatus();
    for (const auto& [name, index] : shape.nested) {
      if (name == field.type) {
        field.message = index;
        return absl::OkStatus();
      }
    }
    const auto root = roots_.find(fmt::format("message {}", field.type));
    if (root == roots_.end()) {
      return Error(shape.path, field.name,
                   fmt::format("type {} is neither known nor a message here or at the root", field.type));
    }
    field.message = root->second;
    return absl::OkStatus();
  }

  std::vector<MessageShape>& shapes_;
  StringMap<size_t>& roots_;
};

json::object Compiled(const std::vector<MessageShape>& shapes, size_t index) {
  const MessageShape& shape = shapes[index];
  json::object compiled;
  json::object tags;
  for (const FieldShape& field : shape.fields) {
    compiled[field.name] = {
        {"option", kOptions[static_cast<size_t>(field.option)]}, {"type", field.type}, {"tag", field.tag}};
    tags[fmt::format("{}", field.tag)] = field.name;
  }
  json::object messages;
  for (const auto& [name, nested] : shape.nested) messages[name] = Compiled(shapes, nested);
  compiled["__messages"] = std::move(messages);
  compiled["__tags"] = std::move(tags);
  return compiled;
}

}  // namespace

absl::StatusOr<Schema> Schema::Parse(const json::object& protos) {
  Schema schema;
  if (absl::Status status = SchemaParser(schema.shapes_, schema.roots_).Parse(protos); !status.ok())
    return status;
  return schema;
}

json::object Schema::ToJson() const {
  json::object compiled;
  for (const auto& [name, index] : roots_) compiled[name] = Compiled(shapes_, index);
  return compiled;
}

}  // namespace hubbub::pomelo

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/base/utf8.h"
#include "services/pomelo/protobuf.h"
#include "services/pomelo/text.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

// The smallest form of one element, so that a count can be held against the bytes that are left.
size_t MinSize(FieldKind kind) {
  return kind == FieldKind::kFloat ? 4 : kind == FieldKind::kDouble ? 8 : 1;
}

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (bytes.empty()) return std::nullopt;
    const uint64_t byte = static_cast<uint8_t>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

template <typename Float, typename Bits>
std::optional<double> TakeFloat(std::string_view& bytes) {
  if (bytes.size() < sizeof(Bits)) return std::nullopt;
  Bits bits = 0;
  for (size_t i = 0; i < sizeof(Bits); ++i)
    bits |= static_cast<Bits>(static_cast<uint8_t>(bytes[i])) << 8 * i;
  bytes.remove_prefix(sizeof(Bits));
  return std::bit_cast<Float>(bits);
}

int64_t UnZigZag(uint64_t value) {
  return static_cast<int64_t>(value >> 1 ^ (~(value & 1) + 1));
}

// As Boost.JSON's own parser yields it: signed if it fits.
json::value Unsigned(uint64_t value) {
  if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return static_cast<int64_t>(value);
  return value;
}

class MessageDecoder {
 public:
  explicit MessageDecoder(const std::vector<MessageShape>& shapes) : shapes_(shapes) {}

  absl::StatusOr<json::object> Decode(size_t index, std::string_view bytes, size_t depth) const {
    const MessageShape& shape = shapes_[index];
    if (depth > kMaxMessageDepth) {
      return absl::InvalidArgumentError(
          fmt::format("{} is nested deeper than {}", shape.path, kMaxMessageDepth));
    }
    json::object object;
    while (!bytes.empty()) {
      const std::optional<uint64_t> head = TakeVarint(bytes);
      if (!head) return absl::InvalidArgumentError(fmt::format("{} ends inside a tag", shape.path));
      const auto field = shape.by_tag.find(static_cast<uint32_t>(*head >> 3));
      if (*head >> 3 > std::numeric_limits<uint32_t>::max() || field == shape.by_tag.end()) {
        return absl::InvalidArgumentError(fmt::format("{} has no field with tag {}", shape.path, *head >> 3));
      }
      if (absl::Status status = DecodeField(shape, shape.fields[field->second], bytes, depth, object);
          !status.ok()) {
        return status;
      }
    }
    for (const FieldShape& field : shape.fields) {
      if (field.option == FieldOption::kRequired && !object.contains(field.name)) {
        return absl::InvalidArgumentError(
            fmt::format("{} lacks its required field {}", shape.path, field.name));
      }
    }
    return object;
  }

 private:
  static absl::Status Error(const MessageShape& shape, const FieldShape& field, std::string_view problem) {
    return absl::InvalidArgumentError(fmt::format("{}.{} {}", shape.path, field.name, problem));
  }

  absl::Status DecodeField(const MessageShape& shape, const FieldShape& field, std::string_view& bytes,
                           size_t depth, json::object& object) const {
    if (field.option != FieldOption::kRepeated) {
      absl::StatusOr<json::value> value = DecodeValue(shape, field, bytes, depth);
      if (!value.ok()) return std::move(value).status();
      object[field.name] = *std::move(value);
      return absl::OkStatus();
    }
    // The same tag may come again, as it does for strings and messages: the elements add up.
    json::value& slot = object[field.name];
    json::array& array = slot.is_array() ? slot.get_array() : slot.emplace_array();
    uint64_t count = 1;
    if (IsCounted(field.kind)) {
      const std::optional<uint64_t> announced = TakeVarint(bytes);
      if (!announced) return Error(shape, field, "ends inside its count");
      count = *announced;
      if (count > bytes.size() / MinSize(field.kind)) {
        return Error(shape, field,
                     fmt::format("announces {} elements, but {} bytes are left", count, bytes.size()));
      }
      array.reserve(array.size() + count);
    }
    for (; count > 0; --count) {
      absl::StatusOr<json::value> value = DecodeValue(shape, field, bytes, depth);
      if (!value.ok()) return std::move(value).status();
      array.push_back(*std::move(value));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<json::value> DecodeValue(const MessageShape& shape, const FieldShape& field,
                                          std::string_view& bytes, size_t depth) const {
    switch (field.kind) {
      case FieldKind::kUInt32:
      case FieldKind::kSInt32:
      case FieldKind::kUInt64:
      case FieldKind::kSInt64:
      case FieldKind::kBool:
        return DecodeInteger(shape, field, bytes);
      case FieldKind::kFloat:
      case FieldKind::kDouble: {
        const std::optional<double> value = field.kind == FieldKind::kFloat
                                                ? TakeFloat<float, uint32_t>(bytes)
                                                : TakeFloat<double, uint64_t>(bytes);
        if (!value) return Error(shape, field, "ends inside a number");
        if (!std::isfinite(*value)) return Error(shape, field, "is not a finite number");
        return *value;
      }
      case FieldKind::kString: {
        absl::StatusOr<std::string_view> text = TakeSized(shape, field, bytes);
        if (!text.ok()) return std::move(text).status();
        if (IsUtf8(*text)) return json::string(text->data(), text->size());
        const std::optional<std::string> utf8 = ToUtf8(*text);
        if (!utf8) return Error(shape, field, "is neither UTF-8 nor CESU-8");
        return json::string(*utf8);
      }
      case FieldKind::kMessage: {
        absl::StatusOr<std::string_view> body = TakeSized(shape, field, bytes);
        if (!body.ok()) return std::move(body).status();
        return Decode(field.message, *body, depth + 1);
      }
    }
    return Error(shape, field, "is of a kind that the decoder does not know");
  }

  static absl::StatusOr<json::value> DecodeInteger(const MessageShape& shape, const FieldShape& field,
                                                   std::string_view& bytes) {
    const std::optional<uint64_t> value = TakeVarint(bytes);
    if (!value) return Error(shape, field, "is not a whole varint");
    const bool narrow = field.kind == FieldKind::kUInt32 || field.kind == FieldKind::kSInt32;
    if (narrow && *value > kMaxNarrowVarint) return Error(shape, field, "does not fit its type");
    if (field.kind == FieldKind::kBool) return *value != 0;
    if (field.kind == FieldKind::kUInt32 || field.kind == FieldKind::kUInt64) return Unsigned(*value);
    return UnZigZag(*value);
  }

  static absl::StatusOr<std::string_view> TakeSized(const MessageShape& shape, const FieldShape& field,
                                                    std::string_view& bytes) {
    const std::optional<uint64_t> size = TakeVarint(bytes);
    if (!size) return Error(shape, field, "ends inside its length");
    if (*size > bytes.size()) {
      return Error(shape, field, fmt::format("announces {} bytes, but {} are left", *size, bytes.size()));
    }
    const std::string_view sized = bytes.substr(0, *size);
    bytes.remove_prefix(*size);
    return sized;
  }

  const std::vector<MessageShape>& shapes_;
};

}  // namespace

absl::StatusOr<json::object> Schema::Decode(std::string_view route, std::string_view bytes) const {
  const auto root = roots_.find(route);
  if (root == roots_.end())
    return absl::NotFoundError(fmt::format("the protobuf schema has no route {}", route));
  return MessageDecoder(shapes_).Decode(root->second, bytes, 1);
}

}  // namespace hubbub::pomelo

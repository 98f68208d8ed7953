#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "services/pomelo/protobuf.h"
#include "services/pomelo/text.h"

namespace hubbub::pomelo {
namespace {

namespace json = boost::json;

std::string_view View(const json::string& s) {
  return {s.data(), s.size()};
}

size_t PutVarint(uint64_t value, char (&bytes)[10]) {
  size_t size = 0;
  for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<char>(0x80 | (value & 0x7f));
  bytes[size++] = static_cast<char>(value);
  return size;
}

void AppendVarint(uint64_t value, std::string& out) {
  char bytes[10];
  out.append(bytes, PutVarint(value, bytes));
}

template <typename Bits>
void AppendLittleEndian(Bits bits, std::string& out) {
  for (size_t i = 0; i < sizeof(Bits); ++i) out += static_cast<char>(bits >> 8 * i);
}

uint64_t ZigZag(int64_t value) {
  return static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63);
}

uint64_t WireType(FieldKind kind) {
  switch (kind) {
    case FieldKind::kDouble:
      return 1;
    case FieldKind::kFloat:
      return 5;
    case FieldKind::kString:
    case FieldKind::kMessage:
      return 2;
    default:
      return 0;
  }
}

// A whole number, in whichever form JSON text or a computation gave it.
std::optional<int64_t> AsSigned(const json::value& value) {
  if (value.is_int64()) return value.get_int64();
  if (const double* d = value.if_double();
      d != nullptr && std::trunc(*d) == *d && std::abs(*d) <= kMaxNarrowVarint) {
    return static_cast<int64_t>(*d);
  }
  return std::nullopt;
}

std::optional<uint64_t> AsUnsigned(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  const std::optional<int64_t> number = AsSigned(value);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<uint64_t>(*number);
}

class MessageEncoder {
 public:
  MessageEncoder(const std::vector<MessageShape>& shapes, TextEncoding encoding, std::string& out)
      : shapes_(shapes), encoding_(encoding), out_(out) {}

  absl::Status Encode(size_t index, const json::object& message, size_t depth) {
    const MessageShape& shape = shapes_[index];
    if (depth > kMaxMessageDepth) {
      return absl::InvalidArgumentError(
          fmt::format("{} is nested deeper than {}", shape.path, kMaxMessageDepth));
    }
    for (const FieldShape& field : shape.fields) {
      if (field.option != FieldOption::kRequired) continue;
      const json::value* value = message.if_contains(field.name);
      if (value == nullptr || value->is_null()) return Error(shape, field, "is required and missing");
    }
    for (const auto& [key, value] : message) {
      const auto field = shape.by_name.find(std::string_view(key.data(), key.size()));
      if (field == shape.by_name.end() || value.is_null()) continue;
      if (absl::Status status = EncodeField(shape, shape.fields[field->second], value, depth); !status.ok())
        return status;
    }
    return absl::OkStatus();
  }

 private:
  static absl::Status Error(const MessageShape& shape, const FieldShape& field, std::string_view problem) {
    return absl::InvalidArgumentError(fmt::format("{}.{} {}", shape.path, field.name, problem));
  }

  static absl::Status Misfit(const MessageShape& shape, const FieldShape& field) {
    return Error(shape, field, fmt::format("has a value that does not fit its type {}", field.type));
  }

  void AppendTag(const FieldShape& field) {
    AppendVarint(uint64_t{field.tag} << 3 | WireType(field.kind), out_);
  }

  absl::Status EncodeField(const MessageShape& shape, const FieldShape& field, const json::value& value,
                           size_t depth) {
    if (field.option != FieldOption::kRepeated) {
      AppendTag(field);
      return EncodeValue(shape, field, value, depth);
    }
    const json::array* array = value.if_array();
    if (array == nullptr) return Error(shape, field, "is repeated and needs an array");
    if (array->empty()) return absl::OkStatus();
    const bool counted = IsCounted(field.kind);
    if (counted) {
      AppendTag(field);
      AppendVarint(array->size(), out_);
    }
    for (const json::value& element : *array) {
      if (!counted) AppendTag(field);
      if (absl::Status status = EncodeValue(shape, field, element, depth); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status EncodeValue(const MessageShape& shape, const FieldShape& field, const json::value& value,
                           size_t depth) {
    switch (field.kind) {
      case FieldKind::kUInt32:
      case FieldKind::kUInt64: {
        const std::optional<uint64_t> number = AsUnsigned(value);
        if (!number || (field.kind == FieldKind::kUInt32 && *number > kMaxNarrowVarint))
          return Misfit(shape, field);
        AppendVarint(*number, out_);
        return absl::OkStatus();
      }
      case FieldKind::kSInt32:
      case FieldKind::kSInt64: {
        const std::optional<int64_t> number = AsSigned(value);
        if (!number || (field.kind == FieldKind::kSInt32 && ZigZag(*number) > kMaxNarrowVarint)) {
          return Misfit(shape, field);
        }
        AppendVarint(ZigZag(*number), out_);
        return absl::OkStatus();
      }
      case FieldKind::kBool:
        if (!value.is_bool()) return Misfit(shape, field);
        out_ += static_cast<char>(value.get_bool());
        return absl::OkStatus();
      case FieldKind::kFloat:
      case FieldKind::kDouble:
        return EncodeFloat(shape, field, value);
      case FieldKind::kString: {
        if (!value.is_string()) return Misfit(shape, field);
        const std::string_view text = View(value.get_string());
        if (encoding_ == TextEncoding::kUtf8) {
          AppendSized(text);
        } else {
          AppendSized(ToCesu8(text));
        }
        return absl::OkStatus();
      }
      case FieldKind::kMessage:
        if (!value.is_object()) return Misfit(shape, field);
        return EncodeMessage(field, value.get_object(), depth);
    }
    return Error(shape, field, "is of a kind that the encoder does not know");
  }

  absl::Status EncodeFloat(const MessageShape& shape, const FieldShape& field, const json::value& value) {
    if (!value.is_number()) return Misfit(shape, field);
    const auto number = value.to_number<double>();
    if (!std::isfinite(number)) return Misfit(shape, field);
    if (field.kind == FieldKind::kDouble) {
      AppendLittleEndian(std::bit_cast<uint64_t>(number), out_);
      return absl::OkStatus();
    }
    if (std::abs(number) > std::numeric_limits<float>::max()) return Misfit(shape, field);
    AppendLittleEndian(std::bit_cast<uint32_t>(static_cast<float>(number)), out_);
    return absl::OkStatus();
  }

  void AppendSized(std::string_view bytes) {
    AppendVarint(bytes.size(), out_);
    out_.append(bytes);
  }

  // The length stands before the message and is known after it: the message is moved aside, by a byte or two.
  absl::Status EncodeMessage(const FieldShape& field, const json::object& message, size_t depth) {
    const size_t start = out_.size();
    if (absl::Status status = Encode(field.message, message, depth + 1); !status.ok()) return status;
    char length[10];
    const size_t size = PutVarint(out_.size() - start, length);
    out_.insert(start, length, size);
    return absl::OkStatus();
  }

  const std::vector<MessageShape>& shapes_;
  const TextEncoding encoding_;
  std::string& out_;
};

}  // namespace

absl::Status Schema::Encode(std::string_view route, const json::object& message, TextEncoding encoding,
                            std::string& out) const {
  const auto root = roots_.find(route);
  if (root == roots_.end())
    return absl::NotFoundError(fmt::format("the protobuf schema has no route {}", route));
  const size_t start = out.size();
  absl::Status status = MessageEncoder(shapes_, encoding, out).Encode(root->second, message, 1);
  if (!status.ok()) out.resize(start);
  return status;
}

}  // namespace hubbub::pomelo

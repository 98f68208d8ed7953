#include "chat/store/postgres_values.h"

#include <charconv>
#include <utility>

namespace hubbub::chat {
namespace {

// Of PostgreSQL's catalog (src/include/catalog/pg_type.dat), where they never change.
constexpr Oid kBool = 16, kBytea = 17, kBig = 20, kInt = 23, kText = 25;
constexpr Oid kByteaArray = 1001, kIntArray = 1007, kTextArray = 1009, kBigArray = 1016;

// Big-endian, as everything on PostgreSQL's wire.
template <typename Number>
void Put(std::string& out, Number value) {
  for (int shift = (static_cast<int>(sizeof(Number)) - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> shift & 0xff));
  }
}

template <typename Number>
std::string Binary(Number value) {
  std::string out;
  Put(out, value);
  return out;
}

// An array of one dimension; an empty one has none.
template <typename Values, typename PutElement>
std::string Array(Oid element, const Values& values, size_t bytes, PutElement put) {
  std::string out;
  out.reserve(20 + bytes);
  Put<int32_t>(out, values.empty() ? 0 : 1);
  Put<int32_t>(out, 0);  // It has no NULL.
  Put<int32_t>(out, static_cast<int32_t>(element));
  if (values.empty()) return out;
  Put<int32_t>(out, static_cast<int32_t>(values.size()));
  Put<int32_t>(out, 1);  // Its elements are counted from 1.
  for (const auto& value : values) put(out, value);
  return out;
}

template <typename Number, typename Values>
std::string NumberArray(Oid element, const Values& values) {
  return Array(element, values, values.size() * (4 + sizeof(Number)), [](std::string& out, Number value) {
    Put<int32_t>(out, sizeof(Number));
    Put<Number>(out, value);
  });
}

std::string StringArray(Oid element, const std::vector<std::string_view>& values) {
  size_t bytes = 0;
  for (const std::string_view value : values) bytes += 4 + value.size();
  return Array(element, values, bytes, [](std::string& out, std::string_view value) {
    Put<int32_t>(out, static_cast<int32_t>(value.size()));
    out.append(value);
  });
}

}  // namespace

PostgresParameters& PostgresParameters::Add(Oid type, std::string value) {
  types_.push_back(type);
  values_.push_back(std::move(value));
  return *this;
}

PostgresParameters& PostgresParameters::Int(int value) {
  return Add(kInt, Binary<int32_t>(value));
}
PostgresParameters& PostgresParameters::Big(int64_t value) {
  return Add(kBig, Binary(value));
}
PostgresParameters& PostgresParameters::Bool(bool value) {
  return Add(kBool, std::string(1, value ? '\1' : '\0'));
}
PostgresParameters& PostgresParameters::Text(std::string_view value) {
  return Add(kText, std::string(value));
}

PostgresParameters& PostgresParameters::Ints(const std::vector<int>& values) {
  return Add(kIntArray, NumberArray<int32_t>(kInt, values));
}

PostgresParameters& PostgresParameters::Bigs(const std::vector<int64_t>& values) {
  return Add(kBigArray, NumberArray<int64_t>(kBig, values));
}

PostgresParameters& PostgresParameters::Texts(const std::vector<std::string_view>& values) {
  return Add(kTextArray, StringArray(kText, values));
}

PostgresParameters& PostgresParameters::Bytes(const std::vector<std::string_view>& values) {
  return Add(kByteaArray, StringArray(kBytea, values));
}

std::string QuoteLiteral(std::string_view text) {
  // Neither sign is ever a part of another one in UTF-8, and the server refuses what is not UTF-8.
  std::string literal = " E'";
  for (const char c : text.substr(0, text.find('\0'))) {
    if (c == '\'' || c == '\\') literal += c;
    literal += c;
  }
  return literal + "'";
}

int64_t PostgresRows::Number(int row, int column) const {
  const std::string_view bytes = Text(row, column);
  if (bytes.empty()) return 0;
  // The sign is that of the first byte.
  uint64_t value = static_cast<signed char>(bytes[0]) < 0 ? ~uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<int64_t>(value);
}

bool PostgresRows::Flag(int row, int column) const {
  return Number(row, column) != 0;
}

std::string_view PostgresRows::Text(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<size_t>(PQgetlength(result_.get(), row, column))};
}

int PostgresRows::changed() const {
  int count = 0;
  if (result_) {
    const std::string_view text = PQcmdTuples(result_.get());
    std::from_chars(text.data(), text.data() + text.size(), count);
  }
  return count;
}

}  // namespace hubbub::chat

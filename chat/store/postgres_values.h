#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hubbub::chat {

// The values of a statement's $1, $2 …, in PostgreSQL's binary formats, so that nothing needs to be quoted
// and content may have any byte. Text goes as it is: the server refuses what is not UTF-8.
class PostgresParameters {
 public:
  PostgresParameters& Int(int value);
  PostgresParameters& Big(int64_t value);
  PostgresParameters& Bool(bool value);
  PostgresParameters& Text(std::string_view value);
  PostgresParameters& Ints(const std::vector<int>& values);
  PostgresParameters& Bigs(const std::vector<int64_t>& values);
  PostgresParameters& Texts(const std::vector<std::string_view>& values);
  PostgresParameters& Bytes(const std::vector<std::string_view>& values);

  const std::vector<Oid>& types() const { return types_; }
  const std::vector<std::string>& values() const { return values_; }

 private:
  PostgresParameters& Add(Oid type, std::string value);

  std::vector<Oid> types_;
  std::vector<std::string> values_;
};

// Text as a literal, for statements that take no parameters. What follows U+0000 is cut off.
std::string QuoteLiteral(std::string_view text);

// The rows of a statement's answer, in binary. Columns are counted from 0, and must be of the type that is
// asked for.
class PostgresRows {
 public:
  PostgresRows() = default;
  explicit PostgresRows(PGresult* result) : result_(result, &PQclear) {}

  int size() const { return result_ ? PQntuples(result_.get()) : 0; }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  int64_t Number(int row, int column) const;         // INT or BIGINT; 0 if NULL.
  bool Flag(int row, int column) const;              // False if NULL.
  std::string_view Text(int row, int column) const;  // TEXT or BYTEA. Lives as long as the rows.
  int changed() const;                               // How many rows an INSERT, UPDATE or DELETE has changed.

 private:
  std::unique_ptr<PGresult, void (*)(PGresult*)> result_{nullptr, &PQclear};
};

}  // namespace hubbub::chat

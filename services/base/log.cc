#include "services/base/log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "boost/json.hpp"
#include "fmt/chrono.h"
#include "fmt/format.h"
#include "services/base/utf8.h"
#include "spdlog/pattern_formatter.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace hubbub {
namespace {

using spdlog::level::level_enum;

// Before each field, in what spdlog is given; no text has it (ASCII's unit separator).
constexpr char kFieldMark = '\x1f';

struct LevelName {
  level_enum level;
  std::string_view name;
};
// From all to least.
constexpr std::array<LevelName, 5> kLevels = {{{spdlog::level::trace, "trace"},
                                               {spdlog::level::debug, "debug"},
                                               {spdlog::level::info, "info"},
                                               {spdlog::level::warn, "warn"},
                                               {spdlog::level::err, "error"}}};

std::string_view NameOf(level_enum level) {
  for (const LevelName& known : kLevels) {
    if (known.level == level) return known.name;
  }
  return "critical";
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

struct Line {
  std::string message;
  std::vector<std::pair<std::string_view, std::string_view>> fields;  // Of the payload.
};

Line Split(std::string_view payload) {
  Line line;
  size_t end = std::min(payload.find(kFieldMark), payload.size());
  line.message = payload.substr(0, end);
  std::replace_if(line.message.begin(), line.message.end(), IsControl, '?');
  while (end < payload.size()) {
    const size_t start = end + 1;
    end = std::min(payload.find(kFieldMark, start), payload.size());
    const std::string_view field = payload.substr(start, end - start);
    const size_t equals = std::min(field.find('='), field.size());
    line.fields.emplace_back(field.substr(0, equals), field.substr(std::min(equals + 1, field.size())));
  }
  return line;
}

std::string JsonText(std::string_view text) {
  std::string valid(text);
  // Neither a reader nor another tool would take a line that is no UTF-8.
  if (!IsUtf8(text))
    std::replace_if(
        valid.begin(), valid.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  return boost::json::serialize(boost::json::string(valid));
}

bool NeedsQuotes(std::string_view value) {
  return std::any_of(value.begin(), value.end(), [](char c) { return c <= ' ' || c == '"' || c == '='; });
}

void Append(std::string_view text, spdlog::memory_buf_t& out) {
  out.append(text.data(), text.data() + text.size());
}

std::string_view PayloadOf(const spdlog::details::log_msg& message) {
  return {message.payload.data(), message.payload.size()};
}

// The message of a text line, with its fields.
class TextPayload final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const Line line = Split(PayloadOf(message));
    Append(line.message, out);
    for (const auto& [name, value] : line.fields)
      Append(fmt::format(" {}={}", name, NeedsQuotes(value) ? JsonText(value) : std::string(value)), out);
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<TextPayload>(); }
};

class JsonFormatter final : public spdlog::formatter {
 public:
  explicit JsonFormatter(std::string server) : server_(std::move(server)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch());
    const Line line = Split(PayloadOf(message));
    Append(fmt::format(R"({{"time":"{:%Y-%m-%dT%H:%M:%S}.{:03}Z","level":"{}","server":{},"message":{})",
                       fmt::gmtime(static_cast<std::time_t>(since.count() / 1000)), since.count() % 1000,
                       NameOf(message.level), JsonText(server_), JsonText(line.message)),
           out);
    for (const auto& [name, value] : line.fields)
      Append(fmt::format(",{}:{}", JsonText(name), JsonText(value)), out);
    Append("}\n", out);
  }
  std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(server_); }

 private:
  const std::string server_;
};

}  // namespace

std::unique_ptr<spdlog::formatter> MakeTextFormatter() {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<TextPayload>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %*");
  return formatter;
}

std::unique_ptr<spdlog::formatter> MakeJsonFormatter(std::string server) {
  return std::make_unique<JsonFormatter>(std::move(server));
}

std::string LogFields(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string text;
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    text.append(1, kFieldMark).append(name).append("=");
    for (const char c : value) text += IsControl(c) ? '?' : c;
  }
  return text;
}

absl::Status SetUpLog(const LogOptions& options) {
  if (options.format != "text" && options.format != "json")
    return absl::InvalidArgumentError("--log_format must be text or json, not '" + options.format + "'");
  const auto* const level = std::find_if(kLevels.begin(), kLevels.end(),
                                         [&](const LevelName& known) { return known.name == options.level; });
  if (level == kLevels.end())
    return absl::InvalidArgumentError("--log_level must be trace, debug, info, warn or error, not '" +
                                      options.level + "'");
  spdlog::set_default_logger(spdlog::stderr_color_mt("hubbub"));
  spdlog::set_formatter(options.format == "json" ? MakeJsonFormatter(options.server) : MakeTextFormatter());
  spdlog::set_level(level->level);
  return absl::OkStatus();
}

void LogMore(int levels) {
  const int now = std::clamp(static_cast<int>(spdlog::get_level()) - levels,
                             static_cast<int>(kLevels.front().level), static_cast<int>(kLevels.back().level));
  const auto level = static_cast<level_enum>(now);
  spdlog::set_level(level);
  // At a level that is shown.
  spdlog::log(std::max(level, spdlog::level::info), "the log's level is {} now", NameOf(level));
}

}  // namespace hubbub

#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "spdlog/formatter.h"

namespace hubbub {

// How the programs log: by spdlog, to standard error, one line an event. An event is a sentence, and perhaps
// fields, by which lines are found again.

struct LogOptions {
  std::string level = "info";   // trace, debug, info, warn or error.
  std::string format = "text";  // text or json.
  std::string server = {};      // This server's id.
};

// Sets the process's log up. INVALID_ARGUMENT, in the words of the flags, if level or format is another word.
absl::Status SetUpLog(const LogOptions& options);

// Raises the log's level by `levels` steps, or lowers it if negative; errors are always logged. The log says
// so. Thread-safe.
void LogMore(int levels);

// To be put behind a line's text, as spdlog's last argument: text shows ` name=value`, json a member of this
// name. One without a value is left out. A name is made of letters, and is none of json's own: time, level,
// server, message.
std::string LogFields(std::initializer_list<std::pair<std::string_view, std::string_view>> fields);

// What makes a line of either format. Control characters of the message are shown as '?', so that nobody's
// text can begin a new line. The time of text is local, that of json UTC. For SetUpLog and tests.
std::unique_ptr<spdlog::formatter> MakeTextFormatter();
std::unique_ptr<spdlog::formatter> MakeJsonFormatter(std::string server);

}  // namespace hubbub

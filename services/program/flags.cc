#include "services/program/flags.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/flags/commandlineflag.h"
#include "absl/flags/parse.h"
#include "absl/flags/reflection.h"
#include "absl/flags/usage.h"
#include "fmt/format.h"
#include "services/program/process.h"

namespace hubbub::program {
namespace {

// "true", "yes" and so on are absl's business; a bool is what takes no value.
bool IsBool(const absl::CommandLineFlag& flag) {
  return flag.IsOfType<bool>();
}

absl::Status SetFlagFile(const std::string& path);

absl::CommandLineFlag* Find(const std::string& name) {
  return absl::FindCommandLineFlag(name);
}

// One flag and perhaps its value; `next` is what follows, null if nothing does, and is set to null once it
// was taken as the value.
absl::Status SetFlag(std::string_view argument, const char** next) {
  std::string_view rest = argument;
  if (rest.size() < 3 || rest.substr(0, 2) != "--") {
    if (rest.size() < 2 || rest[0] != '-')
      return absl::InvalidArgumentError(fmt::format("\"{}\" is no flag; flags start with --", argument));
    rest.remove_prefix(1);
  } else {
    rest.remove_prefix(2);
  }
  const size_t equals = rest.find('=');
  std::string name(rest.substr(0, equals));
  bool has_value = equals != std::string_view::npos;
  std::string value(has_value ? rest.substr(equals + 1) : "");
  const bool is_file = name == "flagfile";
  auto* flag = is_file ? nullptr : Find(name);
  if (flag == nullptr && !is_file && !has_value && name.substr(0, 2) == "no") {
    flag = Find(name.substr(2));
    if (flag != nullptr && !IsBool(*flag)) flag = nullptr;
    value = "false";
    has_value = flag != nullptr;
  }
  if (flag == nullptr && !is_file)
    return absl::InvalidArgumentError(fmt::format("there is no flag --{}; --help lists them", name));
  if (!has_value && flag != nullptr && IsBool(*flag)) {
    value = "true";
  } else if (!has_value) {
    if (next == nullptr || *next == nullptr)
      return absl::InvalidArgumentError(fmt::format("--{} needs a value", name));
    value = *next;
    *next = nullptr;
  }
  if (is_file) return SetFlagFile(value);
  std::string error;
  if (!flag->ParseFrom(value, &error)) {
    const size_t end = error.find_last_not_of(" \n");
    return absl::InvalidArgumentError(
        fmt::format("--{} cannot be \"{}\"{}", name, value,
                    end == std::string::npos ? "" : ": " + error.substr(0, end + 1)));
  }
  return absl::OkStatus();
}

absl::Status SetFlagFile(const std::string& path) {
  std::ifstream file(path);
  if (!file) return absl::InvalidArgumentError(fmt::format("--flagfile: {} cannot be read", path));
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    line.erase(line.find_last_not_of(" \t\r") + 1);
    line.erase(0, line.find_first_not_of(" \t"));
    if (line.empty() || line[0] == '#') continue;
    // No file in a file: two that name each other would not end.
    absl::Status status = line.find("flagfile") == std::string::npos
                              ? SetFlag(line, nullptr)
                              : absl::InvalidArgumentError("a flagfile cannot name another one");
    if (!status.ok())
      return absl::InvalidArgumentError(
          fmt::format("{} line {}: {}", path, number, std::string(status.message())));
  }
  return absl::OkStatus();
}

bool AsksForHelp(std::string_view argument) {
  return argument == "--help" || argument == "-help" || argument.substr(0, 7) == "--help=" ||
         argument == "--helpfull" || argument == "--helpshort" || argument == "--version" || argument == "-h";
}

}  // namespace

absl::Status SetFlags(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const char* next = i + 1 < argc ? argv[i + 1] : nullptr;
    const bool had_next = next != nullptr;
    if (absl::Status status = SetFlag(argv[i], &next); !status.ok()) return status;
    if (had_next && next == nullptr) ++i;
  }
  return absl::OkStatus();
}

void ParseFlags(std::string_view program, std::string_view usage, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (!AsksForHelp(argv[i])) continue;
    absl::SetProgramUsageMessage(std::string(usage));
    std::string help = std::string_view(argv[i]) == "-h" ? "--help" : argv[i];
    std::vector<char*> arguments = {argv[0], help.data()};
    absl::ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
  }
  if (absl::Status status = SetFlags(argc, argv); !status.ok()) Die(program, status);
}

void RequireFlags(std::string_view program, std::initializer_list<absl::Status> checks) {
  for (const absl::Status& check : checks) {
    if (!check.ok()) Die(program, check);
  }
}

}  // namespace hubbub::program

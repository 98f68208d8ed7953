#include "bench/result.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "boost/json.hpp"

namespace hubbub::bench {
namespace {

using boost::json::object;

constexpr size_t kMaxErrors = 5;

double CpuBetween(const std::vector<Usage>& from, const std::vector<Usage>& to) {
  double seconds = 0;
  for (size_t i = 0; i < std::min(from.size(), to.size()); ++i)
    seconds += to[i].cpu_seconds - from[i].cpu_seconds;
  return seconds;
}

double GrownBytes(const std::vector<Usage>& from, const std::vector<Usage>& to, uint64_t Usage::*bytes) {
  double grown = 0;
  for (size_t i = 0; i < std::min(from.size(), to.size()); ++i) {
    grown += static_cast<double>(to[i].*bytes) - static_cast<double>(from[i].*bytes);
  }
  return grown;
}

double Per(double amount, uint64_t count) {
  return count == 0 ? 0 : amount / static_cast<double>(count);
}
double PerSecond(double count, double seconds) {
  return seconds > 0 ? count / seconds : 0;
}

object Quantiles(const Histogram& histogram) {
  const auto us = [&](double quantile) { return static_cast<double>(histogram.Quantile(quantile)) / 1e3; };
  return {{"count", histogram.count()},
          {"mean", histogram.Mean() / 1e3},
          {"p50", us(0.5)},
          {"p90", us(0.9)},
          {"p99", us(0.99)},
          {"p99.9", us(0.999)},
          {"max", us(1.0)}};
}

object ServerNumbers(const Result& result, size_t i) {
  object numbers;
  if (i < result.entered_usage.size() && i < result.before.size()) {
    numbers["connect_cpu_seconds"] = result.entered_usage[i].cpu_seconds - result.before[i].cpu_seconds;
    numbers["resident_bytes_before"] = result.before[i].resident_bytes;
    numbers["resident_bytes_entered"] = result.entered_usage[i].resident_bytes;
    numbers["proportional_bytes_before"] = result.before[i].proportional_bytes;
    numbers["proportional_bytes_entered"] = result.entered_usage[i].proportional_bytes;
  }
  if (i < result.measured_to.size() && i < result.measured_from.size()) {
    numbers["cpu_seconds"] = result.measured_to[i].cpu_seconds - result.measured_from[i].cpu_seconds;
    numbers["resident_bytes_after"] = result.measured_to[i].resident_bytes;
  }
  return numbers;
}

}  // namespace

void Result::AddError(const std::string& error) {
  ++error_count;
  if (errors.size() < kMaxErrors && std::find(errors.begin(), errors.end(), error) == errors.end())
    errors.push_back(error);
}

std::string ToJson(const Options& options, const Result& result) {
  const double cpu = CpuBetween(result.measured_from, result.measured_to);
  object servers;
  for (size_t i = 0; i < options.servers.size(); ++i)
    servers[options.servers[i].name] = ServerNumbers(result, i);
  boost::json::array errors;
  for (const std::string& error : result.errors) errors.emplace_back(error);
  const object json{
      {"label", options.label},
      {"scenario", options.scenario},
      {"options",
       {{"clients", options.clients},
        {"rooms", options.rooms},
        {"senders", options.senders},
        {"window", options.window},
        {"rate", options.rate},
        {"text_bytes", options.text_bytes},
        {"client", options.client},
        {"warmup", options.warmup_s},
        {"connecting", options.connecting}}},
      {"connect",
       {{"seconds", result.connect_seconds},
        {"per_second", PerSecond(static_cast<double>(result.entered), result.connect_seconds)},
        {"cpu_us", 1e6 * Per(CpuBetween(result.before, result.entered_usage), result.entered)},
        {"enter_us", Quantiles(result.enter_ns)},
        {"resident_bytes_per_session",
         Per(GrownBytes(result.before, result.entered_usage, &Usage::resident_bytes), result.entered)},
        {"proportional_bytes_per_session",
         Per(GrownBytes(result.before, result.entered_usage, &Usage::proportional_bytes), result.entered)}}},
      {"measured_seconds", result.measured_seconds},
      {"deliveries", result.deliveries},
      {"deliveries_per_second", PerSecond(static_cast<double>(result.deliveries), result.measured_seconds)},
      {"answers_per_second", PerSecond(static_cast<double>(result.answers), result.measured_seconds)},
      {"server_cpu_seconds", cpu},
      {"cpu_us_per_delivery", 1e6 * Per(cpu, result.deliveries)},
      {"latency_us", Quantiles(result.latency_ns)},
      {"checked",
       {{"sent", result.sent},
        {"expected", result.expected},
        {"arrived", result.all_deliveries},
        {"lost", result.faults.lost},
        {"doubled", result.faults.doubled},
        {"reordered", result.faults.reordered},
        {"stray", result.faults.stray},
        {"damaged", result.faults.damaged}}},
      {"generator",
       {{"cpu_seconds", result.own_cpu_seconds},
        {"cpu_share", PerSecond(result.own_cpu_seconds, result.measured_seconds)},
        {"late_us", Quantiles(result.lateness_ns)}}},
      {"servers", std::move(servers)},
      {"error_count", result.error_count},
      {"errors", std::move(errors)},
      {"ok", result.ok()},
  };
  return boost::json::serialize(json);
}

std::string ToText(const Options& options, const Result& result) {
  std::string text = absl::StrFormat("%s: %d clients signed in at %.0f/s", options.scenario, result.entered,
                                     PerSecond(static_cast<double>(result.entered), result.connect_seconds));
  if (!options.servers.empty()) {
    text += absl::StrFormat(
        ", %.0f us CPU and %.1f KiB resident each",
        1e6 * Per(CpuBetween(result.before, result.entered_usage), result.entered),
        Per(GrownBytes(result.before, result.entered_usage, &Usage::resident_bytes), result.entered) / 1024);
  }
  if (result.sent > 0) {
    const auto ms = [&](double quantile) {
      return static_cast<double>(result.latency_ns.Quantile(quantile)) / 1e6;
    };
    text += absl::StrFormat("\n%s: %.0f deliveries/s, latency p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms",
                            options.scenario,
                            PerSecond(static_cast<double>(result.deliveries), result.measured_seconds),
                            ms(0.5), ms(0.99), ms(0.999));
    if (!options.servers.empty()) {
      text +=
          absl::StrFormat(", %.2f us server CPU a delivery",
                          1e6 * Per(CpuBetween(result.measured_from, result.measured_to), result.deliveries));
    }
    text += absl::StrFormat("\n%s: %d of %d deliveries arrived", options.scenario, result.all_deliveries,
                            result.expected);
    const Faults& faults = result.faults;
    text += faults.any()
                ? absl::StrFormat("; %d lost, %d doubled, %d out of order, %d stray, %d damaged", faults.lost,
                                  faults.doubled, faults.reordered, faults.stray, faults.damaged)
                : ", each once and in order";
  }
  if (result.error_count > 0)
    text += absl::StrFormat("\n%s: %d errors", options.scenario, result.error_count);
  for (const std::string& error : result.errors) text += "\n  " + error;
  return text;
}

}  // namespace hubbub::bench

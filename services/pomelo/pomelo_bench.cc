#include <string>

#include "benchmark/benchmark.h"
#include "boost/json.hpp"
#include "services/base/json_text.h"
#include "services/base/utf8.h"
#include "services/pomelo/body.h"
#include "services/pomelo/handshake.h"
#include "services/pomelo/message.h"
#include "services/pomelo/package.h"
#include "services/pomelo/protobuf.h"
#include "services/pomelo/text.h"

// What a connector does for each frame, once per message in and once per event out.

namespace hubbub::pomelo {
namespace {

constexpr std::string_view kJoy = "\xf0\x9f\x98\x82";

std::string Text(size_t size, bool ascii) {
  std::string text(size, 'a');
  if (!ascii) {
    for (size_t i = 0; i + 64 <= size; i += 64) text.replace(i, kJoy.size(), kJoy);
  }
  return text;
}

void TextArgs(benchmark::internal::Benchmark* b) {
  b->ArgNames({"bytes", "ascii"})->ArgsProduct({{100, 32768}, {1, 0}});
}

void BM_IsUtf8(benchmark::State& state) {
  const std::string text = Text(static_cast<size_t>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(IsUtf8(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_IsUtf8)->Apply(TextArgs);

void BM_JsonSize(benchmark::State& state) {
  const std::string text = Text(static_cast<size_t>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(JsonSize(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_JsonSize)->Apply(TextArgs);

void BM_EscapeNonBmp(benchmark::State& state) {
  const std::string text = Text(static_cast<size_t>(state.range(0)), state.range(1) != 0);
  for (auto _ : state) benchmark::DoNotOptimize(EscapeNonBmp(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_EscapeNonBmp)->Apply(TextArgs);

void BM_DecodeRequest(benchmark::State& state) {
  std::string message;
  AppendRequest(300, "chat.chatHandler.send", std::string(100, 'x'), message);
  std::string bytes;
  AppendPackage(PackageType::kData, message, bytes);
  for (auto _ : state) {
    const auto package = DecodePackage(bytes, size_t{64} * 1024);
    benchmark::DoNotOptimize(DecodeMessage((*package)->package.body));
  }
}
BENCHMARK(BM_DecodeRequest);

void BM_EncodePush(benchmark::State& state) {
  const std::string body(100, 'x');
  std::string out;
  for (auto _ : state) {
    out.clear();
    const size_t start = BeginPackage(PackageType::kData, out);
    AppendPush("onChat", body, out);
    EndPackage(start, out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_EncodePush);

const boost::json::object& Chat() {
  static const boost::json::object chat = {
      {"msg", Text(100, true)}, {"from", "ann"}, {"target", "*"}, {"offset", 12345}};
  return chat;
}

void BM_ParseJsonBody(benchmark::State& state) {
  const std::string body = JsonBody(Chat());
  for (auto _ : state) benchmark::DoNotOptimize(ParseJsonBody(body));
}
BENCHMARK(BM_ParseJsonBody);

void BM_JsonBody(benchmark::State& state) {
  const boost::json::value value = Chat();
  for (auto _ : state) benchmark::DoNotOptimize(JsonBody(value));
}
BENCHMARK(BM_JsonBody);

Schema ChatSchema() {
  return *Schema::Parse(
      {{"onChat", {{"required string msg", 1}, {"required string from", 2}, {"required string target", 3}}}});
}

void BM_EncodeProtobuf(benchmark::State& state) {
  const Schema schema = ChatSchema();
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(schema.Encode("onChat", Chat(), TextEncoding::kCesu8, out));
  }
}
BENCHMARK(BM_EncodeProtobuf);

void BM_DecodeProtobuf(benchmark::State& state) {
  const Schema schema = ChatSchema();
  std::string bytes;
  if (!schema.Encode("onChat", Chat(), TextEncoding::kCesu8, bytes).ok())
    state.SkipWithError("does not encode");
  for (auto _ : state) benchmark::DoNotOptimize(schema.Decode("onChat", bytes));
}
BENCHMARK(BM_DecodeProtobuf);

void BM_Handshake(benchmark::State& state) {
  const Dictionary dictionary = *Dictionary::Make({"connector.entryHandler.enter", "chat.chatHandler.send"});
  const Schema schema = ChatSchema();
  HandshakeOptions options;
  options.heartbeat = std::chrono::seconds(3);
  options.dictionary = &dictionary;
  options.server_protos = &schema;
  const ServerHandshake handshake(options);
  const std::string request =
      R"({"sys":{"type":"js-websocket","version":"0.0.1","rsa":{},"protoVersion":0},"user":{}})";
  for (auto _ : state) benchmark::DoNotOptimize(handshake.Accept(ParseHandshakeRequest(request)));
}
BENCHMARK(BM_Handshake);

}  // namespace
}  // namespace hubbub::pomelo

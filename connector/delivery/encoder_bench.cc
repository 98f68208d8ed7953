#include "connector/delivery/encoder.h"

#include <string>
#include <vector>

#include "benchmark/benchmark.h"
#include "services/client/pitaya_protocol.h"
#include "services/client/pomelo_pushes.h"

namespace hubbub::connector {
namespace {

using Events = google::protobuf::RepeatedPtrField<chat::v1::Event>;

// What the messages say: ASCII, Chinese, or as much as JSON has to escape.
std::string Content(int64_t kind, size_t bytes) {
  const std::string_view unit = kind == 0   ? "plain text, "
                                : kind == 1 ? "\xe4\xbd\xa0\xe5\xa5\xbd"
                                            : "\"\xf0\x9f\x98\x82\n\"";
  std::string content;
  while (content.size() < bytes) content += unit;
  return content;
}

Events Messages(size_t count, const std::string& content) {
  Events events;
  for (size_t i = 0; i < count; ++i) {
    chat::v1::Event& event = *events.Add();
    event.set_room("lobby");
    event.set_epoch(4503599627370497);
    event.set_offset(i + 1);
    event.set_time_ms(1700000000000);
    event.mutable_message()->set_from("ann");
    event.mutable_message()->set_target("*");
    event.mutable_message()->set_content(content);
  }
  return events;
}

// A batch of messages of one room becomes what clients get.
void Encode(benchmark::State& state, const std::vector<client::WireFormat>& formats, bool pitaya) {
  const client::ClientContract contract(/*use_dict=*/true, /*use_protobuf=*/true, std::nullopt);
  client::PushEncodings encodings;
  const client::PomeloPushes pushes(contract, encodings);
  const client::PitayaTerms terms(contract, encodings, std::nullopt, size_t{64} * 1024);
  Encoder encoder(encodings);
  for (const client::WireFormat format : formats) encoder.Use(pushes.Of(format, net::Framing::kBinary));
  if (pitaya) encoder.Use(terms.PushesIn(net::Framing::kBinary));
  constexpr size_t kMessages = 64;
  const Events events = Messages(kMessages, Content(state.range(0), static_cast<size_t>(state.range(1))));
  for (auto _ : state) {
    state.PauseTiming();
    Events batch = events;
    state.ResumeTiming();
    Deliveries deliveries = encoder.Encode(std::move(batch));
    benchmark::DoNotOptimize(deliveries);
    state.PauseTiming();
    deliveries.clear();
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations() * kMessages));
}

void BM_EncodeJson(benchmark::State& state) {
  Encode(state, {client::WireFormat::kJson}, /*pitaya=*/false);
}
void BM_EncodeProtobuf(benchmark::State& state) {
  Encode(state, {client::WireFormat::kProtobufCesu8}, /*pitaya=*/false);
}
// Every format at once.
void BM_EncodeAll(benchmark::State& state) {
  Encode(state,
         {client::WireFormat::kJson, client::WireFormat::kProtobufUtf8, client::WireFormat::kProtobufCesu8},
         /*pitaya=*/true);
}
BENCHMARK(BM_EncodeJson)->ArgNames({"text", "bytes"})->ArgsProduct({{0, 1, 2}, {64, 1024}});
BENCHMARK(BM_EncodeProtobuf)->ArgNames({"text", "bytes"})->ArgsProduct({{0}, {64, 1024}});
BENCHMARK(BM_EncodeAll)->ArgNames({"text", "bytes"})->ArgsProduct({{0}, {64}});

}  // namespace
}  // namespace hubbub::connector

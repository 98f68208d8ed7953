#include <string>

#include "services/socketio/packet.h"
#include "services/socketio/pomelo_text.h"
#include "services/socketio/recovery.h"
#include "services/testing/fuzz_check.h"

// A packet of Socket.IO that may say anything, with an event in it, and a message of Pomelo in that; and what
// a client shows to have its state recovered. Views must stay inside of the text, and what can be read can be
// written and be read again.

namespace {

using namespace hubbub::socketio;  // NOLINT(google-build-using-namespace)

bool IsInside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void PlayPomelo(const std::string& text) {
  const auto request = DecodePomeloText(text);
  if (!request.ok()) return;
  FUZZ_CHECK(IsInside(request->route, text) && IsInside(request->body, text));
  const auto again = DecodePomeloText(text);
  FUZZ_CHECK(again.ok() && again->id == request->id && again->body == request->body);
}

void PlayRecovery(std::string_view text) {
  if (const auto parts = PartsOf(text)) FUZZ_CHECK(IsInside(parts->id, text) && IsInside(parts->token, text));
  const auto positions = DecodePositions(text);
  if (!positions) return;
  FUZZ_CHECK(!positions->empty() && positions->size() <= kMostPositions);
  std::string again;
  for (const RoomPosition& position : *positions) {
    if (!again.empty()) again += '\n';
    AppendPosition(position.room, position.epoch, position.offset, again);
  }
  FUZZ_CHECK(DecodePositions(again) == positions);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = FuzzInput(data, size);
  PlayPomelo(std::string(input));
  PlayRecovery(input);
  const auto packet = DecodePacket(input);
  if (!packet.ok()) return 0;
  FUZZ_CHECK(packet->attachments <= kMostAttachments && packet->nsp.size() <= kMostNamespaceBytes);
  FUZZ_CHECK(packet->nsp == "/" || IsInside(packet->nsp, input));
  FUZZ_CHECK(IsInside(packet->data, input) && IsInside(packet->query, input));
  if (packet->type == PacketType::kEvent) {
    std::string out;
    AppendHead(packet->type, packet->nsp, packet->id.value_or(""), out);
    out += packet->data;
    const auto again = DecodePacket(out);
    FUZZ_CHECK(again.ok() && again->nsp == packet->nsp && again->id == packet->id &&
               again->data == packet->data);
  }
  const auto event = ReadEvent(packet->data);
  if (!event.ok()) return 0;
  FUZZ_CHECK(IsInside(event->argument, input) && (event->arguments > 0) == !event->argument.empty());
  if (const auto text = ReadString(event->argument); text.ok()) PlayPomelo(*text);
  return 0;
}

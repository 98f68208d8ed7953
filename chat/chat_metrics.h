#pragma once

#include "chat/chat_server.h"
#include "services/metrics/metrics.h"

namespace hubbub::chat {

// Shows Prometheus what a chat server does; deploy/README.md lists the names. `server` must live until nobody
// scrapes any more.
void AddChatMetrics(metrics::Metrics& metrics, const ChatServer& server);

}  // namespace hubbub::chat

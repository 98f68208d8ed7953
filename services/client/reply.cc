#include "services/client/reply.h"

#include "services/base/log.h"
#include "services/client/client_session.h"
#include "spdlog/spdlog.h"

namespace hubbub::client {

Reply::~Reply() {
  if (loop_ == nullptr) return;
  if (session() != nullptr)
    spdlog::error("a request was given up: this is a mistake in the program{}",
                  LogFields({{"request", request_id()}}));
  Fail(500, "the server gave this request up; try again");
}

ClientSession* Reply::session() const {
  const auto alive = session_.lock();
  return alive == nullptr ? nullptr : *alive;
}

std::string Reply::request_id() const {
  const ClientSession* const of = session();
  return of == nullptr ? std::string() : of->request_id(details_.number);
}

void Reply::Ok(const boost::json::object& body) {
  if (std::exchange(loop_, nullptr) == nullptr) return;
  if (ClientSession* target = session()) target->Answer(details_, body);
}

void Reply::Fail(int code, std::string_view message) {
  if (std::exchange(loop_, nullptr) == nullptr) return;
  if (ClientSession* target = session()) target->AnswerError(details_, code, message);
}

void Reply::LetNextCome() {
  if (!std::exchange(details_.blocks, false)) return;
  if (ClientSession* target = session()) target->Unblock();
}

}  // namespace hubbub::client

#include "services/rpc/unary.h"

#include <memory>
#include <optional>

#include "boost/asio/steady_timer.hpp"
#include "fmt/format.h"

namespace hubbub::rpc {
namespace {

// A call under way. What the call and the timer call has it.
struct Unary {
  Unary(net::Loop& l, UnaryDone d) : loop(l), done(std::move(d)), deadline(l.context()) {}
  ~Unary() { loop.Release(); }

  net::Loop& loop;
  UnaryDone done;
  boost::asio::steady_timer deadline;
  std::shared_ptr<http2::Call> call;
  std::optional<std::string> response;
  absl::Status late;
};

void End(Unary& unary, absl::Status status) {
  unary.deadline.cancel();
  unary.call = nullptr;
  if (!unary.late.ok()) status = unary.late;
  if (status.ok() && !unary.response)
    status = absl::InternalError("the server has answered without a message");
  unary.done(std::move(status), unary.response.value_or(""));
}

}  // namespace

void CallForBytes(net::Loop& loop, const http2::OpenCall& open, http2::CallRequest request,
                  std::string framed, std::chrono::milliseconds timeout, UnaryDone done) {
  loop.AssertHere();
  loop.Hold();
  const auto unary = std::make_shared<Unary>(loop, std::move(done));
  unary->call = open(std::move(request),
                     {.on_message = [unary](std::string_view message) { unary->response = message; },
                      .on_end = [unary](const absl::Status& status) { End(*unary, status); }});
  unary->call->Write(std::move(framed));
  unary->call->EndWrites();
  unary->deadline.expires_after(timeout);
  unary->deadline.async_wait([unary, timeout](boost::system::error_code error) {
    if (error || unary->call == nullptr) return;
    unary->late = absl::DeadlineExceededError(fmt::format("no answer within {} ms", timeout.count()));
    unary->call->Cancel();
  });
}

}  // namespace hubbub::rpc

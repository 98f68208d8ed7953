#include "services/http2/connection.h"

#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "fmt/format.h"
#include "nghttp2/nghttp2.h"

namespace hubbub::http2 {
namespace {

// What the server may send before it is told that more may come: of a call, and in all. Whatever comes is
// read at once, so this bounds what is on its way.
constexpr int32_t kCallWindow = 4 << 20;
constexpr int32_t kWindow = 16 << 20;

nghttp2_nv Field(std::string_view name, std::string_view value) {
  nghttp2_nv field;
  // nghttp2 does not write to them.
  field.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));    // NOLINT(*-const-cast)
  field.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));  // NOLINT(*-const-cast)
  field.namelen = name.size();
  field.valuelen = value.size();
  field.flags = NGHTTP2_NV_FLAG_NONE;
  return field;
}

std::string_view TextOf(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

class Connection::Nghttp2 {
 public:
  static nghttp2_session* NewSession(Connection& self) {
    nghttp2_session_callbacks* callbacks = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) throw std::bad_alloc();
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, OnNotSent);
    nghttp2_session_callbacks_set_error_callback2(callbacks, OnError);
    nghttp2_session* session = nullptr;
    const int error = nghttp2_session_client_new(&session, callbacks, &self);
    nghttp2_session_callbacks_del(callbacks);
    if (error != 0) throw std::bad_alloc();
    return session;
  }

  static ssize_t TakeData(nghttp2_session*, int32_t id, uint8_t* to, size_t most, uint32_t* flags,
                          nghttp2_data_source*, void* user) {
    const auto stream = Of(user).Find(id);
    if (stream == nullptr) return NGHTTP2_ERR_DEFERRED;
    bool last = false;
    const size_t bytes = stream->Take(to, most, last);
    if (last) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return bytes == 0 && !last ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(bytes);
  }

 private:
  static Connection& Of(void* user) { return *static_cast<Connection*>(user); }

  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user) {
    const auto stream = Of(user).Find(frame->hd.stream_id);
    if (stream != nullptr) stream->outcome.OnField(TextOf(name, name_size), TextOf(value, value_size));
    return 0;
  }

  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user) {
    Connection& self = Of(user);
    const auto stream = self.Find(id);
    if (stream == nullptr) return 0;
    if (absl::Status status = stream->Read(TextOf(data, size)); !status.ok()) {
      stream->outcome.Fail(std::move(status));
      stream->Cancel();
    }
    return 0;
  }

  static int OnFrame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Connection& self = Of(user);
    const bool is_answer = (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    if (frame->hd.type == NGHTTP2_SETTINGS && is_answer && !std::exchange(self.ready_, true)) {
      for (const auto& stream : std::exchange(self.waiting_, {})) self.Submit(stream);
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
      self.going_away_ = true;
    } else if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
               (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 &&
               self.Find(frame->hd.stream_id) != nullptr) {
      // The call is over, although we may not have said that we write no more.
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
      self.End(frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  static int OnClose(nghttp2_session*, int32_t id, uint32_t error, void* user) {
    Of(user).End(id, error);
    return 0;
  }

  static int OnError(nghttp2_session*, int, const char* text, size_t size, void* user) {
    Of(user).mistake_.assign(text, size);
    return 0;
  }

  // A request that the server is not to be sent any more, because it goes away.
  static int OnNotSent(nghttp2_session*, const nghttp2_frame* frame, int, void* user) {
    if (frame->hd.type == NGHTTP2_HEADERS) Of(user).End(frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
    return 0;
  }
};

Connection::Connection(std::string authority, std::function<void()> on_output)
    : authority_(std::move(authority)),
      on_output_(std::move(on_output)),
      session_(Nghttp2::NewSession(*this), nghttp2_session_del) {
  const std::array<nghttp2_settings_entry, 2> settings = {{
      {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<uint32_t>(kCallWindow)},
  }};
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  nghttp2_session_set_local_window_size(session_.get(), NGHTTP2_FLAG_NONE, 0, kWindow);
}

Connection::~Connection() {
  for (const auto& [id, stream] : streams_) stream->Abandon();
  for (const auto& stream : waiting_) stream->Abandon();
  for (const auto& stream : ended_) stream->Abandon();
}

std::shared_ptr<Call> Connection::Open(CallRequest request, CallEvents events) {
  auto stream = std::make_shared<Stream>(*this, std::move(request), std::move(events));
  if (ready_) {
    Submit(stream);
  } else {
    waiting_.push_back(stream);
  }
  on_output_();
  return stream;
}

void Connection::Submit(const std::shared_ptr<Stream>& stream) {
  std::vector<nghttp2_nv> fields = {
      Field(":method", "POST"),
      Field(":scheme", "http"),
      Field(":path", stream->request().method),
      Field(":authority", authority_),
      Field("te", "trailers"),
      Field("content-type", "application/grpc"),
      Field("user-agent", "hubbub/" HUBBUB_VERSION),
      Field("grpc-accept-encoding", "identity"),
  };
  for (const auto& [name, value] : stream->request().metadata) fields.push_back(Field(name, value));
  nghttp2_data_provider body = {};
  body.read_callback = Nghttp2::TakeData;
  const int32_t id =
      nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(), &body, nullptr);
  if (id > 0) {
    stream->id = id;
    streams_.emplace(id, stream);
    return;
  }
  stream->Leave(absl::UnavailableError(
      fmt::format("no call can be made on this connection: {}", nghttp2_strerror(static_cast<int>(id)))));
  ended_.push_back(stream);
}

void Connection::OnDrained(const std::shared_ptr<Stream>& stream) {
  written_.push_back(stream);
}

void Connection::Resume(const Stream& stream) {
  if (stream.id != 0) nghttp2_session_resume_data(session_.get(), stream.id);
  on_output_();
}

void Connection::Cancel(Stream& stream) {
  stream.outcome.Fail(absl::CancelledError("the call was cancelled"));
  if (stream.id != 0) {
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_CANCEL);
    End(stream.id, NGHTTP2_CANCEL);
  } else {
    const auto at = std::find_if(waiting_.begin(), waiting_.end(),
                                 [&stream](const auto& one) { return one.get() == &stream; });
    stream.Leave(stream.outcome.Status(NGHTTP2_CANCEL));
    ended_.push_back(std::move(*at));
    waiting_.erase(at);
  }
  on_output_();
}

void Connection::End(int32_t id, uint32_t error) {
  const auto at = streams_.find(id);
  if (at == streams_.end()) return;
  at->second->Leave(at->second->outcome.Status(error));
  ended_.push_back(std::move(at->second));
  streams_.erase(at);
}

absl::Status Connection::Receive(std::string_view bytes) {
  const ssize_t read =
      nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  TellUsers();
  if (read < 0)
    return absl::UnavailableError(fmt::format("HTTP/2: {}", nghttp2_strerror(static_cast<int>(read))));
  if (going_away_ || nghttp2_session_want_write(session_.get()) != 0) on_output_();
  return absl::OkStatus();
}

absl::Status Connection::TakeOutput(std::string& output, size_t most) {
  ssize_t bytes = 0;
  while (output.size() < most) {
    const uint8_t* data = nullptr;
    bytes = nghttp2_session_mem_send(session_.get(), &data);
    if (bytes <= 0) break;
    output += TextOf(data, static_cast<size_t>(bytes));
  }
  TellUsers();
  if (bytes < 0)
    return absl::UnavailableError(fmt::format("HTTP/2: {}", nghttp2_strerror(static_cast<int>(bytes))));
  if (nghttp2_session_want_read(session_.get()) != 0 || nghttp2_session_want_write(session_.get()) != 0)
    return absl::OkStatus();
  // nghttp2 has told the server of its mistake, or the server has gone away and has no call.
  return absl::UnavailableError(mistake_.empty() ? "the server has ended the connection"
                                                 : "HTTP/2: " + mistake_);
}

void Connection::Ping() {
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  on_output_();
}

void Connection::Fail(const absl::Status& status) {
  going_away_ = true;
  std::vector<std::shared_ptr<Stream>> failed = std::exchange(waiting_, {});
  for (const auto& [id, stream] : std::exchange(streams_, {})) failed.push_back(stream);
  for (auto& stream : failed) {
    stream->outcome.Fail(status);
    stream->Leave(stream->outcome.Status(NGHTTP2_NO_ERROR));
    ended_.push_back(std::move(stream));
  }
  TellUsers();
}

// Users may open, write to and cancel calls meanwhile.
void Connection::TellUsers() {
  for (const auto& stream : std::exchange(written_, {})) stream->TellWritten();
  for (const auto& stream : std::exchange(ended_, {})) stream->TellEnd();
}

std::shared_ptr<Stream> Connection::Find(int32_t id) const {
  const auto at = streams_.find(id);
  return at == streams_.end() ? nullptr : at->second;
}

}  // namespace hubbub::http2

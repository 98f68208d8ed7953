#include "services/http2/testing/test_http2_server.h"

#include <algorithm>
#include <utility>

#include "nghttp2/nghttp2.h"

namespace hubbub::http2 {
namespace {

std::string TextOf(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Valid while the fields are.
std::vector<nghttp2_nv> Fields(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::vector<nghttp2_nv> all;
  for (const auto& [name, value] : fields) {
    nghttp2_nv one = {};
    one.name = reinterpret_cast<uint8_t*>(const_cast<char*>(name.data()));    // NOLINT(*-const-cast)
    one.value = reinterpret_cast<uint8_t*>(const_cast<char*>(value.data()));  // NOLINT(*-const-cast)
    one.namelen = name.size();
    one.valuelen = value.size();
    all.push_back(one);
  }
  return all;
}

}  // namespace

class TestHttp2Server::Callbacks {
 public:
  static nghttp2_session* NewSession(TestHttp2Server& self) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, OnHeader);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, OnData);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, OnFrame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, OnClose);
    nghttp2_session* session = nullptr;
    nghttp2_session_server_new(&session, callbacks, &self);
    nghttp2_session_callbacks_del(callbacks);
    return session;
  }
  static ssize_t TakeData(nghttp2_session* session, int32_t id, uint8_t* to, size_t most, uint32_t* flags,
                          nghttp2_data_source*, void* user) {
    Body& body = Of(user).bodies_[id];
    const size_t bytes = std::min(most, body.bytes.size() - body.sent);
    std::copy_n(body.bytes.data() + body.sent, bytes, to);
    body.sent += bytes;
    if (body.sent == body.bytes.size() && body.ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto trailers = Fields(body.trailers);
      nghttp2_submit_trailer(session, id, trailers.data(), trailers.size());
      return static_cast<ssize_t>(bytes);
    }
    return bytes == 0 ? ssize_t{NGHTTP2_ERR_DEFERRED} : static_cast<ssize_t>(bytes);
  }

 private:
  static TestHttp2Server& Of(void* user) { return *static_cast<TestHttp2Server*>(user); }
  static int OnHeader(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                      const uint8_t* value, size_t value_size, uint8_t, void* user) {
    Of(user).calls_[frame->hd.stream_id].fields[TextOf(name, name_size)] = TextOf(value, value_size);
    return 0;
  }
  static int OnData(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t size, void* user) {
    Of(user).calls_[id].body += TextOf(data, size);
    return 0;
  }
  static int OnFrame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) ++Of(user).pings_;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (ends && (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS))
      Of(user).calls_[frame->hd.stream_id].ended = true;
    return 0;
  }
  static int OnClose(nghttp2_session*, int32_t id, uint32_t error, void* user) {
    Call& call = Of(user).calls_[id];
    call.closed = true;
    call.error = error;
    return 0;
  }
};

TestHttp2Server::TestHttp2Server() : session_(Callbacks::NewSession(*this), nghttp2_session_del) {}

bool TestHttp2Server::Receive(std::string_view bytes) {
  return nghttp2_session_mem_recv(session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()),
                                  bytes.size()) >= 0;
}

std::string TestHttp2Server::TakeOutput() {
  std::string output;
  const uint8_t* data = nullptr;
  for (ssize_t bytes = 0; (bytes = nghttp2_session_mem_send(session_.get(), &data)) > 0;)
    output += TextOf(data, static_cast<size_t>(bytes));
  return output;
}

void TestHttp2Server::SayHello() {
  nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, nullptr, 0);
}

void TestHttp2Server::Answer(int32_t call) {
  const std::vector<std::pair<std::string, std::string>> own = {{":status", "200"},
                                                                {"content-type", "application/grpc"}};
  const auto fields = Fields(own);
  nghttp2_data_provider body = {};
  body.read_callback = Callbacks::TakeData;
  bodies_[call];
  nghttp2_submit_response(session_.get(), call, fields.data(), fields.size(), &body);
}

void TestHttp2Server::Send(int32_t call, std::string_view bytes) {
  bodies_[call].bytes += bytes;
  nghttp2_session_resume_data(session_.get(), call);
}

void TestHttp2Server::End(int32_t call, const std::vector<std::pair<std::string, std::string>>& trailers) {
  if (bodies_.contains(call)) {
    bodies_[call].trailers = trailers;
    bodies_[call].ended = true;
    nghttp2_session_resume_data(session_.get(), call);
    return;
  }
  std::vector<std::pair<std::string, std::string>> all = {{":status", "200"}};
  all.insert(all.end(), trailers.begin(), trailers.end());
  const auto fields = Fields(all);
  nghttp2_submit_response(session_.get(), call, fields.data(), fields.size(), nullptr);
}

void TestHttp2Server::Reset(int32_t call, uint32_t error) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, call, error);
}

void TestHttp2Server::GoAway(int32_t last_call) {
  nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE, last_call, NGHTTP2_NO_ERROR, nullptr, 0);
}

}  // namespace hubbub::http2

#include "services/net/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/tls1.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace hubbub::net {
namespace {

bool SetUpMac(const TicketKeys::Key& key, EVP_MAC_CTX* mac) {
  std::array<char, 7> digest = {"SHA256"};
  auto bytes = key.mac;
  const std::array params = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes.data(), bytes.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
  const bool done = EVP_MAC_CTX_set_params(mac, params.data()) == 1;
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return done;
}

// As SSL_CTX_set_tlsext_ticket_key_evp_cb wants it: -1 ends the handshake, 0 knows no key for this ticket, 2
// asks for a new ticket beside the one that was opened.
int OnTicket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
             int seals) {
  auto& keys = *static_cast<TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const auto now = Clock::now();
  if (seals == 1) {
    const auto key = keys.Newest(now);
    std::copy(key->name.begin(), key->name.end(), name);
    const bool sealed = RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
                        EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1 &&
                        SetUpMac(*key, mac);
    return sealed ? 1 : -1;
  }
  TicketKeys::Name wanted;
  std::copy_n(name, wanted.size(), wanted.begin());
  const auto key = keys.Find(wanted, now);
  if (key == nullptr) return 0;
  const bool opened = SetUpMac(*key, mac) &&
                      EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv) == 1;
  if (!opened) return -1;
  return key == keys.Newest(now) ? 1 : 2;
}

}  // namespace

TicketKeys::Key::Key() {
  // Without random bytes no secret can be kept, and nothing else of TLS would work either.
  if (RAND_bytes(name.data(), static_cast<int>(name.size())) != 1 ||
      RAND_priv_bytes(cipher.data(), static_cast<int>(cipher.size())) != 1 ||
      RAND_priv_bytes(mac.data(), static_cast<int>(mac.size())) != 1)
    std::abort();
}

TicketKeys::Key::~Key() {
  OPENSSL_cleanse(cipher.data(), cipher.size());
  OPENSSL_cleanse(mac.data(), mac.size());
}

std::shared_ptr<const TicketKeys::Key> TicketKeys::Newest(Clock::time_point now) {
  MutexLock lock(mu_);
  Rotate(now);
  return newest_;
}

std::shared_ptr<const TicketKeys::Key> TicketKeys::Find(const Name& name, Clock::time_point now) {
  MutexLock lock(mu_);
  Rotate(now);
  for (const auto& key : {newest_, before_}) {
    if (key != nullptr && key->name == name) return key;
  }
  return nullptr;
}

void TicketKeys::Rotate(Clock::time_point now) {
  if (newest_ != nullptr && now - made_at_ < kLife) return;
  // A server that had no handshake for long keeps nothing of before.
  before_ = newest_ != nullptr && now - made_at_ < 2 * kLife ? std::move(newest_) : nullptr;
  newest_ = std::make_shared<const Key>();
  made_at_ = now;
}

void TicketKeys::UseIn(SSL_CTX* context) {
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, OnTicket);
  SSL_CTX_set_timeout(context, std::chrono::seconds(kLife).count());
}

}  // namespace hubbub::net

// Full and resumed TLS 1.3 handshakes, client and server in one thread and in memory, beside OpenSSL's libssl: records
// included, certificates of one authority verified by the client, two tickets sent by the server and taken by the client.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "bench/harness.h"
#include "os/system_rng.h"
#include "tls/stream.h"
#include "tls/x509/certificate_maker.h"
#include "tls/x509/pem.h"

namespace quoll::bench {
namespace {

constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);  // in 2027
constexpr std::string_view kName = "bench.example";

[[noreturn]] void give_up(const char* what) {
  std::fprintf(stderr, "tls_bench: %s failed\n", what);
  ERR_print_errors_fp(stderr);
  std::exit(1);
}

void require(bool fine, const char* what) {
  if (!fine) give_up(what);
}

template <class T>
T must(Result<T> result, const char* what) {
  if (!result) give_up(result.error().reason ? result.error().reason : what);
  return std::move(*result);
}

/// Keys of a kind and an authority's certificate over it, in the forms that both sides read.
struct Credentials {
  std::string key_pem, leaf_pem, root_pem;
};

std::string generate_rsa_pem() {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(2048), EVP_PKEY_free);
  const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), BIO_free);
  require(PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "an RSA key");
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

Credentials make_credentials(bool rsa) {
  const crypto::Provider& provider = crypto::best();
  Rng& rng = os::thread_rng();
  Credentials made;
  std::optional<x509::PrivateKey> key;
  if (rsa) {
    made.key_pem = generate_rsa_pem();
    key = must(x509::PrivateKey::parse_pem(provider, made.key_pem), "the RSA key");
  } else {
    key = must(x509::PrivateKey::generate(provider, x509::KeyType::ecdsa_p256, rng), "a key");
    made.key_pem = x509::write_pem("PRIVATE KEY", key->to_pkcs8());
  }
  const auto authority = must(x509::PrivateKey::generate(provider, x509::KeyType::ecdsa_p256, rng), "a key");
  x509::CertificateRequest request;
  request.common_name = "Bench Authority";
  request.is_ca = true;
  request.not_before = kNow - Duration::seconds(366 * 24 * 3600);
  request.not_after = kNow + Duration::seconds(366 * 24 * 3600);
  const auto root_der =
      must(x509::make_certificate(request, authority.public_key_info(), nullptr, authority, rng), "the root");
  const auto root = must(x509::Certificate::parse(root_der), "the root");
  request.common_name = std::string(kName);
  request.names = {std::string(kName)};
  request.is_ca = false;
  const auto leaf_der =
      must(x509::make_certificate(request, key->public_key_info(), &root, authority, rng), "the leaf");
  made.leaf_pem = x509::write_pem("CERTIFICATE", leaf_der);
  made.root_pem = x509::write_pem("CERTIFICATE", root_der);
  return made;
}

/// Ours.
class Ours {
 public:
  Ours(const Credentials& credentials, tls::NamedGroup group, bool resumed) : resumed_(resumed) {
    const crypto::Provider& provider = crypto::best();
    auto trust = std::make_shared<x509::TrustStore>();
    require(trust->add_pem(credentials.root_pem).has_value(), "our trust store");
    client_.mode = server_.mode = tls::Mode::stream;
    client_.preferences.groups = server_.preferences.groups = {group};
    client_.key_shares = 1;
    client_.grease = server_.grease = false;  // the peer sends none
    client_.request_ocsp = false;
    client_.trust = trust;
    server_.identities = {std::make_shared<const tls::Identity>(
        must(tls::Identity::from_pem(provider, credentials.leaf_pem, credentials.key_pem), "our identity"))};
    tls::TicketKeys::Secret secret;
    os::thread_rng().fill(secret);
    server_.ticket_keys = must(tls::TicketKeys::from_secrets(provider, std::span(&secret, 1)), "our ticket keys");
    shared_client_ = std::make_shared<const tls::ClientConfig>(client_);
    shared_server_ = std::make_shared<const tls::ServerConfig>(server_);
    handshake();
  }

  void handshake() {
    tls::ClientOptions options;
    options.server_name = std::string(kName);
    if (resumed_ && ticket_) options.ticket = std::move(ticket_);
    const bool resumes = options.ticket.has_value();
    ticket_.reset();
    tls::Stream client =
        must(tls::Stream::client(shared_client_, std::move(options), os::thread_rng(), kNow), "our client");
    tls::Stream server = must(tls::Stream::server(shared_server_, {}, os::thread_rng()), "our server");
    while (!client.to_send().empty() || !server.to_send().empty()) {
      carry(client, server);
      carry(server, client);
    }
    require(client.is_complete() && server.is_complete() && client.negotiated().resumed == resumes, "our handshake");
    ticket_ = client.take_ticket();
    require(ticket_.has_value(), "our ticket");
  }

 private:
  static void carry(tls::Stream& from, tls::Stream& to) {
    const Bytes bytes = from.to_send();
    require(to.receive(bytes, kNow).has_value(), "our handshake");
    from.sent(bytes.size());
  }

  bool resumed_;
  tls::ClientConfig client_;
  tls::ServerConfig server_;
  std::shared_ptr<const tls::ClientConfig> shared_client_;
  std::shared_ptr<const tls::ServerConfig> shared_server_;
  std::optional<tls::ClientTicket> ticket_;
};

/// OpenSSL's, through a pair of memory BIOs.
class Peer {
 public:
  Peer(const Credentials& credentials, const char* group, bool resumed)
      : resumed_(resumed), client_(SSL_CTX_new(TLS_client_method())), server_(SSL_CTX_new(TLS_server_method())) {
    for (SSL_CTX* context : {client_.get(), server_.get()}) {
      require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1, "OpenSSL's version");
      require(SSL_CTX_set1_groups_list(context, group) == 1, "OpenSSL's group");
      require(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1, "OpenSSL's suite");
    }
    require(SSL_CTX_use_certificate(server_.get(), read_certificate(credentials.leaf_pem).get()) == 1, "the leaf");
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio = reader(credentials.key_pem);
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    require(SSL_CTX_use_PrivateKey(server_.get(), key.get()) == 1, "the key");
    X509_STORE* store = SSL_CTX_get_cert_store(client_.get());
    require(X509_STORE_add_cert(store, read_certificate(credentials.root_pem).get()) == 1, "the root");
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), static_cast<time_t>(kNow.as_seconds()));
    SSL_CTX_set_verify(client_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_session_cache_mode(client_.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_set_session_cache_mode(server_.get(), SSL_SESS_CACHE_OFF);
    SSL_CTX_set_app_data(client_.get(), this);
    SSL_CTX_sess_set_new_cb(client_.get(), [](SSL* ssl, SSL_SESSION* session) {
      auto* self = static_cast<Peer*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      self->session_.reset(session);
      return 1;  // the reference is ours
    });
    handshake();
  }

  void handshake() {
    const Ssl client(SSL_new(client_.get())), server(SSL_new(server_.get()));
    BIO* client_bio = nullptr;
    BIO* server_bio = nullptr;
    require(BIO_new_bio_pair(&client_bio, 32'768, &server_bio, 32'768) == 1, "a BIO pair");
    SSL_set_bio(client.get(), client_bio, client_bio);
    SSL_set_bio(server.get(), server_bio, server_bio);
    SSL_set_connect_state(client.get());
    SSL_set_accept_state(server.get());
    require(SSL_set_tlsext_host_name(client.get(), kName.data()) == 1, "the server's name");
    require(SSL_set1_host(client.get(), kName.data()) == 1, "the server's name");
    const bool resumes = resumed_ && session_;
    if (resumes) SSL_set_session(client.get(), session_.get());
    while (!SSL_is_init_finished(client.get()) || !SSL_is_init_finished(server.get())) {
      SSL_do_handshake(client.get());
      SSL_do_handshake(server.get());
    }
    char byte = 0;
    SSL_read(client.get(), &byte, 1);  // the tickets
    require(SSL_get_verify_result(client.get()) == X509_V_OK && session_ && SSL_session_reused(client.get()) == resumes,
            "OpenSSL's handshake");
  }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
  };
  using Ssl = std::unique_ptr<SSL, Free>;

  static std::unique_ptr<BIO, decltype(&BIO_free)> reader(const std::string& pem) {
    return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free};
  }
  static std::unique_ptr<X509, decltype(&X509_free)> read_certificate(const std::string& pem) {
    return {PEM_read_bio_X509(reader(pem).get(), nullptr, nullptr, nullptr), X509_free};
  }

  bool resumed_;
  std::unique_ptr<SSL_CTX, Free> client_, server_;
  std::unique_ptr<SSL_SESSION, Free> session_;
};

void row(Table& table, const std::string& name, const Credentials& credentials, tls::NamedGroup group,
         const char* peer_group, bool resumed) {
  if (!table.wants(name)) return;
  Ours ours(credentials, group, resumed);
  const auto run_ours = [&ours] { ours.handshake(); };
  if (!peer_group) {
    table.row(name, crypto::best().name, 0, run_ours, {});
    return;
  }
  Peer peer(credentials, peer_group, resumed);
  table.row(name, crypto::best().name, 0, run_ours, [&peer] { peer.handshake(); });
}

}  // namespace
}  // namespace quoll::bench

int main(int argc, char** argv) {
  using namespace quoll;
  using tls::NamedGroup;
  bench::CommandLine line = bench::parse_command_line("tls_bench", argc, argv);
  line.options.round_seconds = std::max(line.options.round_seconds, 0.1);  // a handshake lasts a while
  bench::Table table(line.options, "openssl");
  const bench::Credentials ecdsa = bench::make_credentials(false), rsa = bench::make_credentials(true);
  // Debian 12's OpenSSL has no ML-KEM: its side of that row is X25519 alone, so the ratio tells what the protection costs.
  bench::row(table, "full, ECDSA P-256, X25519", ecdsa, NamedGroup::x25519, "X25519", false);
  bench::row(table, "full, ECDSA P-256, X25519MLKEM768", ecdsa, NamedGroup::x25519_mlkem768, "X25519", false);
  bench::row(table, "full, ECDSA P-256, P-256", ecdsa, NamedGroup::secp256r1, "P-256", false);
  bench::row(table, "full, RSA-2048, X25519", rsa, NamedGroup::x25519, "X25519", false);
  bench::row(table, "resumed, X25519", ecdsa, NamedGroup::x25519, "X25519", true);
  bench::row(table, "resumed, X25519MLKEM768", ecdsa, NamedGroup::x25519_mlkem768, "X25519", true);
  table.print();
  if (!line.json.empty()) table.print_json(line.json);
  return 0;
}

// The transport in memory: bulk transfers between two endpoints in one thread, handshakes, requests; beside OpenSSL's AEAD
// alone, which seals and opens as many packets of the same size and does nothing else. The ratio is the transport's
// speed as a part of that: 1 would be a transport that costs nothing.
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <openssl/evp.h>

#include "bench/harness.h"
#include "tests/support/quic_pair.h"

namespace quoll::bench {
namespace {

constexpr size_t kTransferSize = 8 * 1024 * 1024;
constexpr size_t kPayloadSize = 1400;

void require(bool fine, const char* what) {
  if (fine) return;
  std::fprintf(stderr, "quic_bench: %s failed\n", what);
  std::exit(1);
}

tests::QuicPairOptions fast_path() {
  tests::QuicPairOptions options;
  options.one_way_delay = Duration::microseconds(50);
  options.client.pacing = options.server.pacing = false;
  return options;
}

/// Two endpoints with a connection; each transfer() sends 8 MiB on a new stream of the client.
class Transfer {
 public:
  Transfer() : pair_(fast_path()) {
    pair_.connect();
    pair_.on_event = [this](bool of_server, quic::EndpointEvent& event) {
      const auto* inner = std::get_if<quic::Event>(&event.event);
      const auto* readable = inner ? std::get_if<quic::StreamReadable>(inner) : nullptr;
      if (of_server && readable) read(readable->stream_id);
    };
    for (int i = 0; i < 8; i++) transfer();  // windows and rings grow to their size
  }

  void transfer() {
    quic::Streams& streams = pair_.client_connection().streams();
    const std::optional<quic::StreamId> stream = streams.open(true);
    require(stream.has_value(), "opening a stream");
    done_ = false;
    size_t sent = 0;
    const bool finished = pair_.run_until([&] {
      while (sent < kTransferSize) {
        Slice data = Slice::of_static(Bytes(block_).first(std::min(block_.size(), kTransferSize - sent)));
        const auto written = pair_.client_connection().streams().write(*stream, data);
        require(written.has_value(), "writing");
        if (*written == 0) break;
        sent += *written;
        if (sent == kTransferSize) require(pair_.client_connection().streams().finish(*stream).has_value(), "the end");
      }
      return done_;
    });
    require(finished, "a transfer");
  }

  /// Packets that the client sends for one transfer.
  size_t packets_per_transfer() {
    const uint64_t before = pair_.client_connection().statistics().packets_sent;
    transfer();
    return pair_.client_connection().statistics().packets_sent - before;
  }

 private:
  void read(quic::StreamId id) {
    for (;;) {
      const auto chunk = pair_.server_connection().streams().read(id);
      if (!chunk || !*chunk) return;
      if ((*chunk)->fin) done_ = true;
    }
  }

  tests::QuicPair pair_;
  std::vector<uint8_t> block_ = std::vector<uint8_t>(256 * 1024, 7);
  bool done_ = false;
};

/// Whole connections: handshake, one request of 100 bytes, an answer of 1000, close.
class Requests {
 public:
  Requests() : pair_(fast_path()) {
    pair_.on_event = [this](bool of_server, quic::EndpointEvent& event) {
      const auto* inner = std::get_if<quic::Event>(&event.event);
      if (!inner) return;
      if (const auto* readable = std::get_if<quic::StreamReadable>(inner)) {
        of_server ? answer(readable->stream_id) : take(readable->stream_id);
      }
    };
  }
  void connect() {
    pair_.connect();
    pair_.client_connection().close(pair_.now, quic::ApplicationErrorCode{0}, "");
    pair_.run_for(Duration::seconds(4));
  }
  void begin() { pair_.connect(); }
  void request() {
    quic::Streams& streams = pair_.client_connection().streams();
    const std::optional<quic::StreamId> stream = streams.open(false);
    require(stream && streams.write(*stream, Bytes(block_).first(100)).has_value(), "a request");
    require(streams.finish(*stream).has_value(), "a request");
    done_ = false;
    require(pair_.run_until([&] { return done_; }), "an answer");
  }

 private:
  void answer(quic::StreamId id) {
    quic::Streams& streams = pair_.server_connection().streams();
    for (;;) {
      const auto chunk = streams.read(id);
      if (!chunk || !*chunk) return;
      if (!(*chunk)->fin) continue;
      require(streams.write(id, Bytes(block_)).has_value() && streams.finish(id).has_value(), "answering");
      return;
    }
  }
  void take(quic::StreamId id) {
    for (;;) {
      const auto chunk = pair_.client_connection().streams().read(id);
      if (!chunk || !*chunk) return;
      if ((*chunk)->fin) done_ = true;
    }
  }

  tests::QuicPair pair_;
  std::vector<uint8_t> block_ = std::vector<uint8_t>(1000, 7);
  bool done_ = false;
};

/// OpenSSL's AES-128-GCM: seals and opens packets, and nothing else.
class AeadOnly {
 public:
  void packet() {
    int size = 0;
    uint8_t tag[16];
    require(EVP_EncryptInit_ex(seal_.get(), EVP_aes_128_gcm(), nullptr, key_, nonce_) == 1, "OpenSSL");
    EVP_EncryptUpdate(seal_.get(), nullptr, &size, header_, sizeof header_);
    EVP_EncryptUpdate(seal_.get(), bytes_.data(), &size, bytes_.data(), kPayloadSize);
    EVP_EncryptFinal_ex(seal_.get(), bytes_.data() + size, &size);
    EVP_CIPHER_CTX_ctrl(seal_.get(), EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag);
    require(EVP_DecryptInit_ex(open_.get(), EVP_aes_128_gcm(), nullptr, key_, nonce_) == 1, "OpenSSL");
    EVP_DecryptUpdate(open_.get(), nullptr, &size, header_, sizeof header_);
    EVP_DecryptUpdate(open_.get(), bytes_.data(), &size, bytes_.data(), kPayloadSize);
    EVP_CIPHER_CTX_ctrl(open_.get(), EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag);
    require(EVP_DecryptFinal_ex(open_.get(), bytes_.data() + size, &size) == 1, "OpenSSL's tag");
  }

 private:
  using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
  Context seal_{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  Context open_{EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free};
  uint8_t key_[16] = {}, nonce_[12] = {}, header_[12] = {};
  std::vector<uint8_t> bytes_ = std::vector<uint8_t>(kPayloadSize);
};

}  // namespace
}  // namespace quoll::bench

int main(int argc, char** argv) {
  using namespace quoll;
  bench::CommandLine line = bench::parse_command_line("quic_bench", argc, argv);
  line.options.round_seconds = std::max(line.options.round_seconds, 0.1);
  bench::Table table(line.options, "openssl-aead");
  if (table.wants("packets")) {
    bench::Transfer transfer;
    bench::AeadOnly aead;
    const size_t packets = transfer.packets_per_transfer();
    table.row(
        "packets of a transfer, both ends", crypto::best().name, bench::kTransferSize, [&] { transfer.transfer(); },
        [&] {
          for (size_t i = 0; i < packets; i++) aead.packet();
        },
        packets);
  }
  if (table.wants("requests")) {
    bench::Requests requests;
    requests.begin();
    table.row("requests on one connection, 100 B up, 1000 B down", crypto::best().name, 0, [&] { requests.request(); },
              {});
  }
  if (table.wants("connections")) {
    bench::Requests connections;
    table.row("connections, handshake to drained", crypto::best().name, 0, [&] { connections.connect(); }, {});
  }
  table.print();
  if (!line.json.empty()) table.print_json(line.json);
  return 0;
}

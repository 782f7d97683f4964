// quic_capture FOLDER: conversations of two endpoints, for other software to take apart: NAME.pcap with what went over the
// wire, NAME.keys with the secrets of the client's TLS, NAME-client-N.sqlog and NAME-server-N.sqlog with what the two
// sides say of their Nth connection. Prints the names. The clock and the randomness are the test's: the same files each time.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/sim/traces.h"
#include "tests/support/pcap_writer.h"
#include "tests/support/quic_pair.h"

namespace quoll::tests {
namespace {

using quic::Version;

struct Case {
  std::string name;
  std::vector<Version> client_versions;
  std::vector<Version> server_versions;
  bool retry = false;
  bool early_data = false;
};

class Keys final : public tls::KeyLog {
 public:
  void line(std::string_view text) override { lines.append(text).append("\n"); }
  std::string lines;
};

void save(const std::string& name, const std::string& content) {
  std::FILE* file = std::fopen(name.c_str(), "w");
  if (!file || std::fwrite(content.data(), 1, content.size(), file) != content.size() || std::fclose(file) != 0) {
    std::perror(name.c_str());
    std::exit(1);
  }
}

class Capture {
 public:
  Capture(const Case& what, const std::string& files) : traces_(files), pair_(options_of(what)) {
    pair_.filter = [this](QuicPair::Datagram& datagram) {
      pcap_.add(pair_.now, datagram.transmit);
      return true;
    };
    pair_.on_event = [this](bool of_server, quic::EndpointEvent& event) { on_event(of_server, event); };
    pair_.begin_connect();
    converse();
    if (what.early_data) {
      if (!resumption_) std::abort();
      pair_.begin_connect(std::move(resumption_), true);
      ask(4'000);  // in 0-RTT
      converse();
    }
    save(files + ".pcap", pcap_.file());
    save(files + ".keys", keys_.lines);
  }

 private:
  QuicPairOptions options_of(const Case& what) {
    QuicPairOptions options;
    options.client.versions = what.client_versions;
    options.server.versions = what.server_versions;
    options.client.max_datagram_frame_size = options.server.max_datagram_frame_size = 1'200;
    options.retry = what.retry ? quic::RetryPolicy::always : quic::RetryPolicy::never;
    options.early_data = what.early_data;
    options.client_key_log = &keys_;
    options.trace = [this](quic::Role role, const quic::ConnectionId& id) { return traces_.begin(role, id.bytes()); };
    return options;
  }

  /// A bit of everything, until the connection is closed on both sides.
  void converse() {
    pair_.run_until([this] { return pair_.client_connection().is_confirmed(); });
    ask(30'000);
    ask(10);
    send_one_way();
    (void)pair_.client_connection().send_datagram(Slice::copy_of(std::vector<uint8_t>(500, 0xda)));
    pair_.run_for(Duration::milliseconds(300));
    if (!pair_.client_connection().update_keys(pair_.now)) std::abort();
    ask(20'000);
    pair_.run_for(Duration::milliseconds(300));
    if (!pair_.server_connection().update_keys(pair_.now)) std::abort();
    ask(2'000);
    pair_.run_for(Duration::milliseconds(300));
    give_up();
    pair_.client_connection().ping();
    pair_.run_for(Duration::milliseconds(300));
    pair_.client_connection().close(pair_.now, quic::ApplicationErrorCode{7}, "that was all");
    pair_.run_for(Duration::seconds(5));
  }

  quic::Streams& streams() { return pair_.client_connection().streams(); }

  /// A stream that the server answers with as much.
  void ask(size_t size) { write_to_end(*streams().open(false), size); }
  void send_one_way() { write_to_end(*streams().open(true), 700); }
  void write_to_end(quic::StreamId id, size_t size) {
    const std::vector<uint8_t> bytes(size, 0xa5);
    if (streams().write(id, bytes) != size || !streams().finish(id)) std::abort();
  }
  /// One stream that is reset, and one that the client does not want to hear of.
  void give_up() {
    const quic::StreamId unsent = *streams().open(false), unheard = *streams().open(false);
    const std::vector<uint8_t> bytes(100, 0x11);
    if (!streams().write(unsent, bytes) || !streams().write(unheard, bytes)) std::abort();
    pair_.run_for(Duration::milliseconds(100));
    if (!streams().reset(unsent, quic::ApplicationErrorCode{3})) std::abort();
    if (!streams().stop(unheard, quic::ApplicationErrorCode{4})) std::abort();
  }

  void on_event(bool of_server, quic::EndpointEvent& event) {
    quic::Connection* connection = (of_server ? pair_.server : pair_.client)->find(event.connection);
    const auto* inner = std::get_if<quic::Event>(&event.event);
    if (!inner || !connection) return;
    if (const auto* readable = std::get_if<quic::StreamReadable>(inner)) {
      read(*connection, of_server, readable->stream_id);
    } else if (const auto* got = std::get_if<quic::ResumptionReceived>(inner)) {
      if (got->state.ticket) resumption_ = got->state;
    } else if (std::holds_alternative<quic::DatagramReceived>(*inner)) {
      while (auto datagram = connection->receive_datagram()) {
        if (of_server) (void)connection->send_datagram(std::move(*datagram));
      }
    }
  }

  void read(quic::Connection& connection, bool of_server, quic::StreamId id) {
    for (;;) {
      auto chunk = connection.streams().read(id);
      if (!chunk || !*chunk) return;
      if (of_server && !id.is_unidirectional()) {
        (void)connection.streams().write(id, (*chunk)->data.bytes());
        if ((*chunk)->fin) (void)connection.streams().finish(id);
      }
      if ((*chunk)->fin) return;
    }
  }

  Keys keys_;
  PcapWriter pcap_;
  sim::Traces traces_;
  QuicPair pair_;
  std::optional<quic::ResumptionState> resumption_;
};

std::vector<Case> cases() {
  const Version v1 = Version::v1, v2 = Version::v2;
  return {
      {.name = "v1", .client_versions = {v1}, .server_versions = {v1}},
      {.name = "v2", .client_versions = {v2}, .server_versions = {v2}},
      {.name = "v1-retry", .client_versions = {v1}, .server_versions = {v1}, .retry = true},
      {.name = "v2-retry", .client_versions = {v2}, .server_versions = {v2}, .retry = true},
      {.name = "v1-early", .client_versions = {v1}, .server_versions = {v1}, .early_data = true},
      {.name = "v2-early", .client_versions = {v2}, .server_versions = {v2}, .early_data = true},
      {.name = "v1-retry-early", .client_versions = {v1}, .server_versions = {v1}, .retry = true, .early_data = true},
      {.name = "negotiation", .client_versions = {v2, v1}, .server_versions = {v1}},
      {.name = "upgrade", .client_versions = {v1, v2}, .server_versions = {v2, v1}},
  };
}

}  // namespace
}  // namespace quoll::tests

int main(int argc, char** argv) {
  using namespace quoll::tests;
  if (argc != 2) {
    std::fprintf(stderr, "usage: quic_capture FOLDER\n");
    return 2;
  }
  for (const Case& what : cases()) {
    Capture(what, std::string(argv[1]) + "/" + what.name);
    std::printf("%s\n", what.name.c_str());
  }
  return 0;
}

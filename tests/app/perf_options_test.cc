#include "app/perf_options.h"

#include <doctest/doctest.h>

namespace quoll::app {
namespace {

/// The parsed command line, with the words that it views.
std::expected<Arguments, int> parse(const Usage& usage, std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  return Arguments::parse(usage, pointers);
}

std::string read(std::vector<std::string> words, PerfGetOptions& options) {
  const auto arguments = parse(kPerfGetUsage, words);
  return arguments ? read_perf_get_options(*arguments, options) : "not parsed";
}

std::string read(std::vector<std::string> words, PerfServeOptions& options) {
  const auto arguments = parse(kPerfServeUsage, words);
  return arguments ? read_perf_serve_options(*arguments, options) : "not parsed";
}

std::string wrong(std::vector<std::string> words) {
  PerfGetOptions options;
  return read(std::move(words), options);
}

}  // namespace

TEST_CASE("perf get by itself downloads a gibibyte from this machine") {
  PerfGetOptions options;
  CHECK(read({}, options).empty());
  CHECK(options.work == PerfWork::transfers);
  CHECK(options.url.to_string() == "https://localhost:4433/");
  CHECK(options.path() == "/1073741824");
  CHECK(options.connections == 1);
  CHECK(options.requests == 1);
  CHECK_FALSE(options.foreign);
}

TEST_CASE("perf get has one request for each stream unless a number or a time is given") {
  PerfGetOptions options;
  CHECK(read({"-c", "3", "-m", "5", "-s", "2k", "https://h:1/"}, options).empty());
  CHECK(options.connections == 3);
  CHECK(options.streams == 5);
  CHECK(options.requests == 15);
  CHECK(options.path() == "/2048");
  PerfGetOptions counted;
  CHECK(read({"-m", "5", "-n", "1000"}, counted).empty());
  CHECK(counted.requests == 1000);
  PerfGetOptions timed;
  CHECK(read({"-t", "1.5"}, timed).empty());
  CHECK(timed.time == Duration::milliseconds(1500));
  CHECK(timed.requests == PerfGetOptions::kRequestsMax);
}

TEST_CASE("perf get asks other servers for the URL as it is") {
  PerfGetOptions options;
  CHECK(read({"--h3", "https://h:1/a?b", "-s", "7"}, options).empty());
  CHECK(options.foreign);
  CHECK(options.path() == "/a?b");
}

TEST_CASE("perf get takes its other works") {
  PerfGetOptions handshakes;
  CHECK(read({"--handshakes", "--resume", "--0rtt", "-c", "2"}, handshakes).empty());
  CHECK(handshakes.work == PerfWork::handshakes);
  CHECK(handshakes.resume);
  CHECK(handshakes.early_data);
  CHECK(handshakes.requests == 1000);
  CHECK(handshakes.path() == "/1");
  PerfGetOptions idle;
  CHECK(read({"--idle", "-c", "50"}, idle).empty());
  CHECK(idle.work == PerfWork::idle);
  CHECK(idle.requests == 50);
  PerfGetOptions upload;
  CHECK(read({"-u", "-s", "1M", "--cold", "--cipher", "aes128", "--cc", "newreno", "--window", "1M"}, upload).empty());
  CHECK(upload.upload);
  CHECK(upload.cold);
  CHECK(upload.size == 1 << 20);
  CHECK(upload.path() == "/");
  CHECK(upload.cipher == tls::CipherSuite::aes_128_gcm_sha256);
  const quic::TransportConfig config = upload.transport.config();
  CHECK(config.congestion == quic::CongestionAlgorithm::new_reno);
  CHECK(config.initial_window == quic::kEagerInitialWindow);
  CHECK(config.streams.max_stream_window == 1 << 20);
  CHECK(config.streams.initial_stream_window <= config.streams.max_stream_window);
}

TEST_CASE("perf get tells what is wrong") {
  CHECK(wrong({"-c", "0"}) == "--connections wants a number from 1 to 100000, not 0");
  CHECK(wrong({"-m", "10001"}) == "--streams wants a number from 1 to 10000, not 10001");
  CHECK(wrong({"-n", "x"}) == "--requests wants a number from 1 to 1000000000000, not x");
  CHECK(wrong({"-s", "5T"}) == "--size wants bytes, 4T at most, not 5T");
  CHECK(wrong({"-t", "0"}) == "--time wants seconds, not 0");
  CHECK(wrong({"-t", "1", "-n", "1"}) == "--time and --requests are two ways to say when it ends: one will do");
  CHECK(wrong({"--idle", "--handshakes"}) == "--handshakes and --idle do not go together");
  CHECK(wrong({"--idle", "-m", "2"}) == "--streams and --idle do not go together");
  CHECK(wrong({"--handshakes", "-m", "2"}) ==
        "--handshakes has one request on each connection: --streams means nothing");
  CHECK(wrong({"--resume"}) == "--resume wants --handshakes");
  CHECK(wrong({"--handshakes", "--0rtt"}) == "--0rtt wants --resume");
  CHECK(wrong({"--cold"}) == "--cold wants --upload; what is downloaded is the server's");
  CHECK(wrong({"--h3", "https://a/", "https://b/"}) == "--h3 names the URL: there is no other one");
  CHECK(wrong({"http://a/"}) == "http://a/: HTTP/3 is for https URLs");
  CHECK(wrong({"-4", "-6"}) == "--ipv4 and --ipv6 leave nothing");
  CHECK(wrong({"--cipher", "des"}) == "--cipher is aes128, aes256 or chacha20, not des");
  CHECK(wrong({"--cc", "vegas"}) == "--cc is cubic, newreno, bbr2 or bbr3, not vegas");
  CHECK(wrong({"--window", "1"}) == "--window wants 64k to 4G bytes, not 1");
}

TEST_CASE("perf serve understands its options") {
  PerfServeOptions plain;
  CHECK(read({}, plain).empty());
  CHECK(plain.listen.size() == 2);
  CHECK(plain.workers == 1);
  PerfServeOptions options;
  CHECK(read({"-l", "127.0.0.1:5", "--cert", "a", "--key", "b", "-w", "3", "--cc", "bbr3", "--cold"}, options).empty());
  CHECK(options.listen.size() == 1);
  CHECK(options.certificates.size() == 1);
  CHECK(options.workers == 3);
  CHECK(options.cold);
  PerfServeOptions bad;
  CHECK(read({"--cert", "a"}, bad) == "--cert and --key belong together");
  CHECK(read({"-w", "257"}, bad) == "--workers wants a number up to 256, not 257");
  CHECK(read({"-l", "nowhere"}, bad) == "--listen wants ADDR:PORT such as 0.0.0.0:4433 or [::1]:4433, not nowhere");
}

}  // namespace quoll::app

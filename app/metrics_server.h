// MetricsServer: answers GET /metrics over HTTP/1.1 on a TCP port of its own, for Prometheus.
//
// A thread, one scraper after the other, each for kPatience at most and with requests of kRequestSizeMax at most: it is meant
// for a port that only the operator's machines reach.
#pragma once

#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/address.h"
#include "base/time.h"

namespace quoll::app {

class MetricsServer {
 public:
  static constexpr size_t kRequestSizeMax = 8 * 1024;
  static constexpr Duration kPatience = Duration::seconds(2);

  /// `render` gives the text of the metrics; it is called by the thread. The error is a text for people.
  [[nodiscard]] static std::expected<std::unique_ptr<MetricsServer>, std::string> start(
      const SocketAddress& address, std::function<std::string()> render);
  ~MetricsServer();
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  /// With the port that the kernel chose.
  const SocketAddress& address() const { return address_; }

 private:
  MetricsServer(int listener, int wake_read, int wake_write, std::function<std::string()> render);
  void run();
  void answer(int connection);
  bool wait(int fd, short events, int64_t until_ms) const;
  std::string response_to(const std::string& request) const;

  const int listener_, wake_read_, wake_write_;
  const std::function<std::string()> render_;
  SocketAddress address_;
  std::thread thread_;
};

}  // namespace quoll::app

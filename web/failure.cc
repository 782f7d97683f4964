#include "web/failure.h"

#include <array>
#include <cstdio>
#include <string_view>

#include "h3/error.h"
#include "quic/wire/error_code.h"
#include "tls/alert.h"

namespace quoll::web {
namespace {

constexpr uint64_t kCryptoBase = static_cast<uint64_t>(quic::TransportError::crypto_error_base);

bool is_alert(const quic::Closed& closed) {
  return !closed.application && closed.error_code >= kCryptoBase && closed.error_code <= kCryptoBase + 0xff;
}

std::string hex(uint64_t code) {
  std::array<char, 24> text;
  const int size = std::snprintf(text.data(), text.size(), "0x%llx", static_cast<unsigned long long>(code));
  return std::string(text.data(), static_cast<size_t>(size));
}

std::string_view transport_error_name(uint64_t code) {
  constexpr std::array<std::string_view, 18> kNames = {
      "NO_ERROR",
      "INTERNAL_ERROR",
      "CONNECTION_REFUSED",
      "FLOW_CONTROL_ERROR",
      "STREAM_LIMIT_ERROR",
      "STREAM_STATE_ERROR",
      "FINAL_SIZE_ERROR",
      "FRAME_ENCODING_ERROR",
      "TRANSPORT_PARAMETER_ERROR",
      "CONNECTION_ID_LIMIT_ERROR",
      "PROTOCOL_VIOLATION",
      "INVALID_TOKEN",
      "APPLICATION_ERROR",
      "CRYPTO_BUFFER_EXCEEDED",
      "KEY_UPDATE_ERROR",
      "AEAD_LIMIT_REACHED",
      "NO_VIABLE_PATH",
      "VERSION_NEGOTIATION_ERROR",
  };
  return code < kNames.size() ? kNames[code] : std::string_view();
}

/// One line: what a peer says may hold anything.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= ' ' && c != 0x7f ? c : ' ';
  return out;
}

std::string with_reason(std::string text, const std::string& reason) {
  if (!reason.empty()) text += ": " + printable(reason);
  return text;
}

std::string name_of(const quic::Closed& closed) {
  if (closed.application) return code_name(closed.error_code);
  const std::string_view name = transport_error_name(closed.error_code);
  return name.empty() ? hex(closed.error_code) : std::string(name);
}

Failure tls_failure(const quic::Closed& closed, const std::string& server) {
  const auto alert = static_cast<uint8_t>(closed.error_code - kCryptoBase);
  const std::string name(tls::alert_name(alert));
  Failure failure{.kind = FailureKind::tls, .code = alert, .text = {}};
  if (closed.why == quic::Closed::Why::peer) {
    failure.text = with_reason(server + " refuses the TLS handshake with the alert " + name, closed.reason);
  } else {
    failure.text = with_reason("the TLS handshake with " + server + " failed", closed.reason) + " (" + name + ")";
  }
  return failure;
}

}  // namespace

std::string code_name(uint64_t code) {
  const std::string_view name = h3::name_of(code);
  return name.empty() ? hex(code) : std::string(name) + " (" + hex(code) + ")";
}

Failure failure_of(const quic::Closed& closed, const std::string& server, bool established) {
  if (is_alert(closed)) return tls_failure(closed, server);
  Failure failure{.kind = established ? FailureKind::connection : FailureKind::connect,
                  .code = closed.error_code,
                  .application = closed.application,
                  .text = {}};
  switch (closed.why) {
    case quic::Closed::Why::local:
      failure.kind = FailureKind::connection;
      failure.text = with_reason("the connection to " + server + " was ended with " + name_of(closed), closed.reason);
      break;
    case quic::Closed::Why::peer:
      failure.text = with_reason(
          server + (established ? " ended the connection with " : " refuses the connection with ") + name_of(closed),
          closed.reason);
      break;
    case quic::Closed::Why::stateless_reset:
      failure.text = server + " does not know the connection any more (stateless reset)";
      break;
    case quic::Closed::Why::idle_timeout:
      failure.text = established ? "nothing came from " + server + " any more" : "no answer from " + server;
      break;
    case quic::Closed::Why::handshake_timeout:
      failure.text = "no answer from " + server;
      break;
    case quic::Closed::Why::no_viable_path:
      failure.text = "there is no way to " + server + " any more";
      break;
    case quic::Closed::Why::version_negotiation:
      failure.kind = FailureKind::tls;
      failure.text = server + " speaks no version of QUIC that we do";
      break;
  }
  return failure;
}

Failure stream_failure(uint64_t code, bool by_peer) {
  return {
      .kind = FailureKind::stream,
      .code = code,
      .application = true,
      .text = (by_peer ? "the server gave the request up with " : "the response cannot be used: ") + code_name(code)};
}

}  // namespace quoll::web

#include "tls/key_log.h"

#include <string>

#include "crypto/ct.h"

namespace quoll::tls {
namespace {

void append_hex(std::string& text, Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
}

}  // namespace

void log_secret(KeyLog* log, std::string_view label, Bytes client_random, Bytes secret) {
  if (!log) return;
  std::string line;
  // Room for all of it at once: growing would leave copies behind that nobody wipes.
  line.reserve(label.size() + 2 + 2 * client_random.size() + 2 * secret.size());
  line += label;
  line += ' ';
  append_hex(line, client_random);
  line += ' ';
  append_hex(line, secret);
  log->line(line);
  crypto::ct::wipe(line.data(), line.size());
}

}  // namespace quoll::tls

// A client's connection, from its first datagram to its end, with a peer that the input plays (quic_connection_script.h).
#include "fuzz/quic_connection_script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  quoll::fuzz::ConnectionScript(quoll::quic::Role::client, {data, size}).run();
  return 0;
}

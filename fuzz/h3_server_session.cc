// An h3::Session of a server, with a peer and an application that do what the input says; see h3_session_script.h.
#include "fuzz/h3_session_script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  quoll::fuzz::run_h3_session(quoll::h3::Role::server, quoll::Bytes(data, size));
  return 0;
}

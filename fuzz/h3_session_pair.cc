// Two h3::Sessions that talk to each other; see h3_session_pair.h.
#include "fuzz/h3_session_pair.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  quoll::fuzz::H3Conversation(quoll::Bytes(data, size)).run();
  return 0;
}

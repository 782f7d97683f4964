// The input is a program for a qpack::Encoder and a qpack::Decoder with a network between them (tests/qpack/pair.h).
#include "tests/qpack/pair.h"

using namespace quoll;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Reader program(Bytes(data, size));
  qpack::tests::Pair pair(program);
  pair.run(program);
  return 0;
}

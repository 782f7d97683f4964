// quic::decode_resumption_state: what decodes encodes to the same bytes, and holds nothing that must not be remembered.
#include "quic/endpoint/resumption_state.h"

#include <algorithm>

#include "base/check.h"
#include "crypto/failure.h"

using namespace quoll;
using namespace quoll::quic;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Bytes input(data, size);
  const Result<ResumptionState> state = decode_resumption_state(input);
  if (!state) {
    QUOLL_CHECK(state.error().domain == ErrorDomain::crypto);
    QUOLL_CHECK(state.error().code == static_cast<uint64_t>(crypto::Failure::malformed));
    return 0;
  }
  QUOLL_CHECK(std::ranges::equal(encode_resumption_state(*state), input));
  QUOLL_CHECK(is_supported(state->version));
  QUOLL_CHECK(remembered_parameters(state->parameters) == state->parameters);
  return 0;
}

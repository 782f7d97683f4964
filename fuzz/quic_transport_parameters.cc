// quic::parse_transport_parameters: the first byte chooses the sender, the rest is the message. What is taken is written
// again and must parse equal; what a client may say, a server may say too.
#include "quic/wire/transport_parameters.h"

#include <vector>

using namespace quoll;
using namespace quoll::quic;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const Bytes message = Bytes(data, size).subspan(1);
  const Role sender = (data[0] & 1) != 0 ? Role::server : Role::client;
  const Result<TransportParameters> parsed = parse_transport_parameters(message, sender);
  if (!parsed) {
    QUOLL_CHECK(parsed.error().domain == ErrorDomain::transport);
    QUOLL_CHECK(parsed.error().code == static_cast<uint64_t>(TransportError::transport_parameter_error));
    return 0;
  }
  // A client may choose a version that we do not speak and list it behind more others than are kept: that parses, and
  // negotiate_version() refuses it.
  const auto& versions = parsed->version_information;
  if (sender == Role::client && versions && !versions->available.contains(versions->chosen)) {
    QUOLL_CHECK(!is_supported(versions->chosen));
    return 0;
  }
  Counter counter;
  write_transport_parameters(counter, *parsed);
  std::vector<uint8_t> out(counter.size());
  Writer writer(out);
  write_transport_parameters(writer, *parsed);
  QUOLL_CHECK(writer.ok() && writer.size() == out.size());
  const Result<TransportParameters> again = parse_transport_parameters(out, sender);
  QUOLL_CHECK(again && *again == *parsed);
  if (sender == Role::client) {
    const Result<TransportParameters> servers = parse_transport_parameters(message, Role::server);
    QUOLL_CHECK(servers && *servers == *parsed);
  }

  const TransportParameters remembered = remembered_parameters(*parsed);
  QUOLL_CHECK(remembered_parameters(remembered) == remembered);
  QUOLL_CHECK(can_accept_early_data(remembered, *parsed) && check_early_data_limits(remembered, *parsed));
  return 0;
}

// http::parse_alt_svc: what is taken is written again and reads the same; hosts are in their normal form, ports are ports.
#include "http/alt_svc.h"

#include "base/bytes.h"
#include "base/check.h"
#include "http/url.h"

using namespace quoll;
using namespace quoll::http;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::optional<AltSvc> alt_svc = parse_alt_svc(as_text({data, size}));
  if (!alt_svc) return 0;
  QUOLL_CHECK(alt_svc->clear == alt_svc->services.empty());
  QUOLL_CHECK(alt_svc->services.size() <= kAlternativesMax);
  for (const AlternativeService& service : alt_svc->services) {
    QUOLL_CHECK(service.port != 0 && !service.protocol.empty());
    const bool is_ipv6 = service.host.find(':') != std::string::npos;
    QUOLL_CHECK(service.host.empty() || parse_host(is_ipv6 ? "[" + service.host + "]" : service.host) == service.host);
  }
  QUOLL_CHECK(parse_alt_svc(to_string(*alt_svc)) == *alt_svc);
  return 0;
}

// Accept-Encoding: weights within their range, and a choice that nothing available beats.
#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "http/content_coding.h"

using namespace quoll;
using http::ContentCoding;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  constexpr std::array kAll = {ContentCoding::brotli, ContentCoding::zstd, ContentCoding::gzip};
  std::vector<ContentCoding> available;
  for (size_t i = 0; i < kAll.size(); i++) {
    if (data[0] >> i & 1) available.push_back(kAll[i]);
  }
  const auto accepted = http::AcceptedCodings::parse(as_text(Bytes(data, size).subspan(1)));
  const ContentCoding chosen = accepted.choose(available);
  bool found = chosen == ContentCoding::identity;
  for (const ContentCoding coding : available) {
    QUOLL_CHECK(accepted.weight(coding) <= http::AcceptedCodings::kWeightMax);
    found = found || coding == chosen;
    QUOLL_CHECK(accepted.weight(coding) <= accepted.weight(chosen));
    // Identity wins only by a higher weight, or where nothing else is acceptable.
    if (chosen == ContentCoding::identity) {
      QUOLL_CHECK(accepted.weight(coding) == 0 || accepted.weight(coding) < accepted.weight(chosen));
    }
  }
  QUOLL_CHECK(found);
  if (chosen != ContentCoding::identity) QUOLL_CHECK(accepted.weight(chosen) > 0);
  return 0;
}

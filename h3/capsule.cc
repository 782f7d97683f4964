#include "h3/capsule.h"

#include "h3/error.h"
#include "http/structured_fields.h"

namespace quoll::h3 {

std::optional<Capsule> CapsuleReader::read(Bytes& input) {
  while (true) {
    if (!inside_) {
      const std::optional<FrameHeader> header = frames_.read_header(input);
      if (!header) return {};
      header_ = *header;
      inside_ = true;
      value_.clear();
      dropping_ = header_.length > value_size_max_;
      if (dropping_) dropped_++;
    }
    const Bytes part = frames_.take_payload(input);
    const bool complete = frames_.payload_left() == 0;
    // A value that came in one piece is handed on where it lies.
    const bool in_place = complete && value_.empty();
    if (!dropping_ && !in_place) value_.insert(value_.end(), part.begin(), part.end());
    if (!complete) return {};
    inside_ = false;
    if (!dropping_)
      return Capsule{.type = CapsuleType{static_cast<uint64_t>(header_.type)}, .value = in_place ? part : value_};
  }
}

void write_capsule(std::vector<uint8_t>& out, CapsuleType type, Bytes value) {
  write_varint(out, static_cast<uint64_t>(type));
  write_varint(out, value.size());
  out.insert(out.end(), value.begin(), value.end());
}

bool announces_capsules(const http::FieldSection& fields) {
  // Another type than Boolean, as several lines make it, is as if the field were not there.
  const std::optional<std::string> value = fields.combined("capsule-protocol");
  const std::optional<http::sf::Item> item = value ? http::sf::parse_item(*value) : std::nullopt;
  return item && item->value == http::sf::BareItem(true);
}

Result<void> check_capsule_message(const http::FieldSection& fields, std::optional<unsigned> status) {
  if (!announces_capsules(fields)) return {};
  for (const std::string_view name : {"content-length", "content-type", "transfer-encoding"}) {
    if (fields.find(name)) return error(ErrorCode::message_error, "a field of content beside capsules");
  }
  if (status == 204u || status == 205u || status == 206u) {
    return error(ErrorCode::message_error, "a status about content beside capsules");
  }
  return {};
}

Result<DatagramHeader> parse_datagram(Bytes datagram) {
  const DecodedVarint quarter = varint_decode(datagram);
  // RFC 9297 §2.1: four times the number must be a stream.
  if (quarter.size == 0) return error(ErrorCode::datagram_error, "a datagram without a stream");
  if (quarter.value > kVarintMax / 4) return error(ErrorCode::datagram_error, "a datagram of a stream that cannot be");
  return DatagramHeader{.stream = quarter.value * 4, .size = quarter.size};
}

void write_datagram_header(MutBytes to, uint64_t stream) {
  QUOLL_DCHECK(stream % 4 == 0 && to.size() >= datagram_header_size(stream));
  varint_encode(to.data(), stream / 4, varint_size(stream / 4));
}

}  // namespace quoll::h3

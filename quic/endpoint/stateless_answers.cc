#include "quic/endpoint/stateless_answers.h"

#include <algorithm>

#include "quic/protect/packet_keys.h"
#include "quic/wire/frame_writer.h"
#include "quic/wire/packet_header_writer.h"
#include "quic/wire/version.h"

namespace quoll::quic {
namespace {

/// RFC 9000 §10.3.3: what is smaller than this might be told from a packet.
constexpr size_t kUnsuspiciousResetSize = 41;
/// RFC 9000 §10.3: datagrams up to this size are answered with one byte less.
constexpr size_t kSmallDatagram = 43;
constexpr uint64_t kResetSizesDrawn = 24;

/// Hundredths of the rate limit that resets leave to the answers that clients wait for.
constexpr uint32_t kReservedFromResets = 50;

/// A reserved version other than the client's own: RFC 9000 §6.2, a client ignores a list with its version.
Version grease_version(Rng& rng, Version clients) {
  for (;;) {
    const Version version = reserved_version(static_cast<uint32_t>(rng.next_u64()));
    if (version != clients) return version;
  }
}

}  // namespace

std::optional<size_t> stateless_reset_size(size_t provoking, Rng& rng) {
  if (provoking <= kStatelessResetSizeMin) return {};
  if (provoking <= kSmallDatagram) return provoking - 1;
  const size_t drawn = kUnsuspiciousResetSize + static_cast<size_t>(rng.below(kResetSizesDrawn));
  return std::min(drawn, provoking - 1);
}

StatelessAnswers::Answer* StatelessAnswers::allow(Instant now, const Path& path, uint32_t reserve) {
  if (queue_.size() == queue_.limit() || !limit_.take(now, reserve)) return nullptr;
  Answer* answer = queue_.emplace();
  answer->path = path;
  return answer;
}

uint8_t StatelessAnswers::random_byte() {
  uint8_t byte = 0;
  rng_.fill({&byte, 1});
  return byte;
}

StatelessAnswers::Outcome StatelessAnswers::version_negotiation(Instant now, const Path& path, size_t datagram_size,
                                                                const InvariantHeader& header,
                                                                std::span<const Version> versions, bool grease) {
  // RFC 9000 §6.1: never in answer to Version Negotiation. §5.2.2: only where a connection could begin.
  if (!header.long_header || header.version == Version::negotiation) return Outcome::none;
  if (datagram_size < kInitialDatagramSizeMin) return Outcome::none;
  // We speak two versions, and a configuration may name each once or more.
  constexpr size_t kOffersMax = 4;
  std::array<Version, kOffersMax + 1> offers{};
  size_t count = 0;
  for (const Version version : versions) {
    const bool listed = std::find(offers.begin(), offers.begin() + count, version) != offers.begin() + count;
    if (count < kOffersMax && !listed) offers[count++] = version;
  }
  if (count == 0) return Outcome::none;
  if (grease) {
    std::swap(offers[count], offers[static_cast<size_t>(rng_.below(count + 1))]);
    const auto free = std::find(offers.begin(), offers.begin() + count + 1, Version::negotiation);
    *free = grease_version(rng_, header.version);
    count++;
  }

  Answer* answer = allow(now, path);
  if (!answer) return Outcome::suppressed;
  Writer writer(answer->bytes);
  write_version_negotiation(writer, header, std::span(offers).first(count), random_byte());
  QUOLL_CHECK(writer.ok());
  answer->size = writer.size();
  return Outcome::queued;
}

StatelessAnswers::Outcome StatelessAnswers::retry(Instant now, const Path& path, const Retry& retry) {
  // RFC 9000 §17.2.5.1: clients discard a Retry with the connection id that they chose.
  QUOLL_DCHECK(!std::ranges::equal(retry.original_destination, retry.retry_source));
  Answer* answer = allow(now, path);
  if (!answer) return Outcome::suppressed;
  Writer writer(answer->bytes);
  const RetryHeader header{
      .version = retry.version, .destination = retry.client_source, .source = retry.retry_source, .token = retry.token};
  write_retry(writer, header, random_byte());
  // RFC 9001 §5.8.
  writer.bytes(retry_integrity_tag(provider_, retry.version, retry.original_destination, writer.written()));
  QUOLL_CHECK(writer.ok());
  answer->size = writer.size();
  return Outcome::queued;
}

StatelessAnswers::Outcome StatelessAnswers::refuse(Instant now, const Path& path, const Refusal& refusal) {
  Answer* answer = allow(now, path);
  if (!answer) return Outcome::suppressed;
  constexpr PacketNumber kNumber = 0;
  Writer writer(answer->bytes);
  const LongHeader header{.type = PacketType::initial,
                          .version = refusal.version,
                          .destination = refusal.client_source,
                          .source = refusal.source};
  const HeaderPlaces places = write_long_header(writer, header, {.number = kNumber, .size = 1});
  // RFC 9000 §14.1: not ack-eliciting, so it needs no padding.
  write_frame(writer, ConnectionCloseFrame{.error_code = static_cast<uint64_t>(refusal.error)});
  finish_long_header(writer, places, crypto::kAeadTagSize);
  const size_t header_size = places.packet_number + 1;
  const size_t plain_size = writer.size();
  writer.zeros(crypto::kAeadTagSize);
  QUOLL_CHECK(writer.ok());
  answer->size = writer.size();

  // RFC 9001 §5.2: a server's Initial keys need only the client's connection id.
  constexpr auto kSuite = tls::CipherSuite::aes_128_gcm_sha256;
  const crypto::Digest secret = initial_secrets(provider_, refusal.version, refusal.client_destination).server;
  PacketKeys keys(provider_, kSuite, refusal.version, secret);
  const MutBytes packet = MutBytes(answer->bytes).first(answer->size);
  const Bytes payload = Bytes(packet).subspan(header_size, plain_size - header_size);
  const Result<void> sealed =
      keys.aead().seal(keys.nonce(kNumber), Bytes(packet).first(header_size), payload, packet.subspan(header_size));
  QUOLL_CHECK(sealed);
  const std::span<const uint8_t, crypto::kSampleSize> sample(packet.data() + places.packet_number + kSampleOffset,
                                                             crypto::kSampleSize);
  const crypto::HeaderMask mask = header_key(provider_, kSuite, refusal.version, secret).mask(sample);
  // RFC 9001 §5.4.1: of a long header, four bits of the first byte.
  packet[0] ^= static_cast<uint8_t>(mask[0] & 0x0f);
  packet[places.packet_number] ^= mask[1];
  return Outcome::queued;
}

StatelessAnswers::Outcome StatelessAnswers::reset(Instant now, const Path& path, size_t datagram_size,
                                                  const StatelessResetToken& token) {
  const std::optional<size_t> size = stateless_reset_size(datagram_size, rng_);
  if (!size) return Outcome::none;
  Answer* answer = allow(now, path, kReservedFromResets);
  if (!answer) return Outcome::suppressed;
  std::array<uint8_t, kUnsuspiciousResetSize + kResetSizesDrawn> unpredictable;
  const MutBytes used = MutBytes(unpredictable).first(*size - kStatelessResetTokenSize);
  rng_.fill(used);
  Writer writer(answer->bytes);
  write_stateless_reset(writer, used, token);
  QUOLL_CHECK(writer.ok() && writer.size() < datagram_size);
  answer->size = writer.size();
  return Outcome::queued;
}

bool StatelessAnswers::has_room(Instant now) { return queue_.size() < queue_.limit() && limit_.available(now); }

std::optional<Transmit> StatelessAnswers::poll_transmit(Instant now, MutBytes scratch) {
  if (queue_.empty() || scratch.size() < queue_.front().size) return {};
  const Answer& answer = queue_.front();
  copy_bytes(scratch.data(), Bytes(answer.bytes).first(answer.size));
  const Transmit transmit{.path = answer.path,
                          .ecn = Ecn::not_ect,
                          .bytes = Bytes(scratch).first(answer.size),
                          .segment_size = 0,
                          .departure = now};
  queue_.pop();
  return transmit;
}

}  // namespace quoll::quic

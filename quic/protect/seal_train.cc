#include "quic/protect/seal_train.h"

#include <algorithm>

#include "base/check.h"
#include "quic/protect/header_mask.h"
#include "quic/wire/error_code.h"

namespace quoll::quic {

Result<void> SealTrain::seal() {
  // Jobs point to their pieces: room for all of them is made first, and for more to come.
  const size_t pieces_max = packets_.size() + 2 * gaps_.size();
  if (pieces_max > pieces_.capacity()) pieces_.reserve(2 * pieces_max);
  Result<void> sealed;
  const std::span<const Packet> packets = packets_;
  for (size_t begin = 0; sealed && begin < packets.size();) {
    size_t end = begin + 1;
    while (end < packets.size() && packets[end].keys.packet == packets[begin].keys.packet) end++;
    sealed = seal_run(packets.subspan(begin, end - begin));
    begin = end;
  }
  clear();
  return sealed;
}

Result<void> SealTrain::seal_run(std::span<const Packet> run) {
  const SealKeys& keys = run[0].keys;
  jobs_.clear();
  pieces_.clear();
  samples_.clear();
  for (const Packet& packet : run) {
    jobs_.push_back(job_of(packet));
    samples_.push_back(sample_of(packet.bytes, packet.packet_number_offset));
    keys.packet->note_sealed(packet.number);
  }
  // RFC 9001 §6.6: keys are not used beyond their confidentiality limit. It is the only way to fail: messages are short.
  if (!keys.packet->seal(jobs_)) {
    return close_with(TransportError::aead_limit_reached, "packets beyond the confidentiality limit");
  }
  // RFC 9001 §5.4.1: header protection comes after the AEAD, since it samples the ciphertext.
  masks_.resize(run.size());
  keys.header->masks(samples_, masks_);
  for (size_t i = 0; i < run.size(); i++) {
    apply_mask(run[i].bytes, run[i].packet_number_offset, run[i].packet_number_size, masks_[i]);
  }
  return {};
}

crypto::SealJob SealTrain::job_of(const Packet& packet) {
  const size_t header_size = packet.packet_number_offset + packet.packet_number_size;
  QUOLL_DCHECK(packet.bytes.size() >= header_size + crypto::kAeadTagSize);
  const MutBytes payload = packet.bytes.subspan(header_size, packet.bytes.size() - header_size - crypto::kAeadTagSize);
  const size_t first_piece = pieces_.size();
  size_t position = 0;
  for (const Gap& gap : std::span(gaps_).subspan(packet.gaps_begin, packet.gaps_count)) {
    QUOLL_DCHECK(gap.offset >= position && gap.offset + gap.data.size() <= payload.size());
    pieces_.push_back(payload.subspan(position, gap.offset - position));
    pieces_.push_back(gap.data);
    position = gap.offset + gap.data.size();
  }
  pieces_.push_back(payload.subspan(position));
  return {.nonce = packet.keys.packet->nonce(packet.number),
          .aad = packet.bytes.first(header_size),
          .plaintext = std::span(pieces_).subspan(first_piece),
          .out = payload.data()};
}

void SealTrain::clear() {
  packets_.clear();
  gaps_.clear();
}

}  // namespace quoll::quic

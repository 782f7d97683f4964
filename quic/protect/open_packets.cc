#include "quic/protect/open_packets.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "quic/protect/header_mask.h"
#include "quic/wire/packet_number.h"

namespace quoll::quic {
namespace {

/// Takes the mask off and says what the header says; the header's size is what the AEAD authenticates.
size_t unmask(const ProtectedPacket& packet, const crypto::HeaderMask& mask, PacketNumber expected,
              OpenedPacket& opened) {
  const UnmaskedHeader header = remove_mask(packet.bytes(), packet.packet_number_offset(), mask);
  opened.type = packet.type();
  opened.first_byte = header.first_byte;
  opened.number = decode_packet_number(header.truncated_packet_number, header.packet_number_size, expected);
  return packet.packet_number_offset() + header.packet_number_size;
}

crypto::OpenJob job_of(const PacketKeys& keys, const ProtectedPacket& packet, PacketNumber number, size_t header_size) {
  return {.nonce = keys.nonce(number),
          .aad = packet.bytes().first(header_size),
          .data = packet.bytes().subspan(header_size)};
}

/// Runs the AEAD over jobs under one key. Keys that have reached their integrity limit open nothing.
void run(PacketKeys& keys, std::span<crypto::OpenJob> jobs) {
  if (keys.open(jobs)) return;
  for (crypto::OpenJob& job : jobs) job.authentic = false;
}

void conclude(const crypto::OpenJob& job, OpenedPacket& opened) {
  opened.status = job.authentic ? OpenedPacket::Status::opened : OpenedPacket::Status::unauthenticated;
  if (job.authentic) opened.payload = job.data.first(job.data.size() - crypto::kAeadTagSize);
}

/// What is known of the packets of a batch between the two passes over it.
struct Batch {
  std::array<crypto::HeaderMask, kOpenBatchMax> masks;
  std::array<size_t, kOpenBatchMax> header_sizes;
  std::array<OneRttKeys::Slot, kOpenBatchMax> slots;
};

void unmask_batch(const OneRttKeys& keys, std::span<const ProtectedPacket> packets, PacketNumber expected,
                  std::span<OpenedPacket> opened, Batch& batch) {
  std::array<const uint8_t*, kOpenBatchMax> samples;
  for (size_t i = 0; i < packets.size(); i++) {
    samples[i] = sample_of(packets[i].bytes(), packets[i].packet_number_offset());
  }
  const auto masks = std::span(batch.masks).first(packets.size());
  keys.read_header().masks(std::span(samples).first(packets.size()), masks);
  for (size_t i = 0; i < packets.size(); i++) {
    // RFC 9000 §17.1: every number is decoded by what was authentic before the batch, so that a forged packet cannot
    // spoil the decoding of those behind it. A sender's numbers allow for that: it reckons with what we acknowledged.
    batch.header_sizes[i] = unmask(packets[i], masks[i], expected, opened[i]);
    batch.slots[i] = keys.slot_of(key_phase_of(opened[i].first_byte), opened[i].number);
  }
}

/// The packets that belong to the keys of one slot, under the AEAD together. There are up to kPacketsMax in all: to
/// prepare room for a whole batch would be felt by a packet that comes alone.
template <size_t kPacketsMax>
void open_slot(OneRttKeys& keys, OneRttKeys::Slot slot, std::span<const ProtectedPacket> packets, const Batch& batch,
               std::span<OpenedPacket> opened) {
  if (std::ranges::count(std::span(batch.slots).first(packets.size()), slot) == 0) return;
  std::array<crypto::OpenJob, kPacketsMax> jobs;
  std::array<uint8_t, kPacketsMax> index_of{};
  size_t count = 0;
  for (size_t i = 0; i < packets.size(); i++) {
    if (batch.slots[i] != slot) continue;
    index_of[count] = static_cast<uint8_t>(i);
    jobs[count++] = job_of(keys.read_keys(slot), packets[i], opened[i].number, batch.header_sizes[i]);
  }
  run(keys.read_keys(slot), std::span(jobs).first(count));
  for (size_t i = 0; i < count; i++) conclude(jobs[i], opened[index_of[i]]);
}

}  // namespace

OpenedPacket open_long(LevelKeys& keys, const ProtectedPacket& packet, PacketNumber expected) {
  OpenedPacket opened;
  const uint8_t* const sample = sample_of(packet.bytes(), packet.packet_number_offset());
  const crypto::HeaderMask mask = keys.header.mask(std::span<const uint8_t, kSampleSize>(sample, kSampleSize));
  const size_t header_size = unmask(packet, mask, expected, opened);
  crypto::OpenJob job = job_of(keys.packet, packet, opened.number, header_size);
  run(keys.packet, {&job, 1});
  conclude(job, opened);
  return opened;
}

Result<void> open_short(Instant now, Duration pto, OneRttKeys& keys, std::span<const ProtectedPacket> packets,
                        PacketNumber expected, std::span<OpenedPacket> opened) {
  Batch batch;
  unmask_batch(keys, packets, expected, opened, batch);
  for (const auto slot : {OneRttKeys::Slot::previous, OneRttKeys::Slot::current, OneRttKeys::Slot::next}) {
    const auto open_packets = packets.size() <= 1 ? open_slot<1> : open_slot<kOpenBatchMax>;
    open_packets(keys, slot, packets, batch, opened);
  }
  // Slots move when a packet of the batch shows an update, generations do not.
  std::array<uint64_t, kOpenBatchMax> generations;
  for (size_t i = 0; i < packets.size(); i++) generations[i] = keys.generation_of(batch.slots[i]);
  for (size_t i = 0; i < packets.size(); i++) {
    if (opened[i].status != OpenedPacket::Status::opened) continue;
    if (auto in_order = keys.on_opened(now, generations[i], opened[i].number, pto); !in_order) return in_order;
  }
  return {};
}

}  // namespace quoll::quic

// The operations of a connection script that send something or use the endpoint.
#include "fuzz/quic_connection_script.h"

namespace quoll::fuzz {
namespace {

using namespace quoll::quic;
using quic::tests::frames;
using quic::tests::operator+;
using quic::tests::PuppetPacket;
using quic::tests::SeenPacket;
using quoll::tests::CollectedFrame;

PathData path_data(uint64_t seed) {
  PathData data{};
  store_be(data.data(), seed);
  return data;
}

}  // namespace

/// Seals what can be sealed, and delivers it.
void ConnectionScript::send(PuppetPacket packet) {
  if (!puppet_->can_seal(packet.type)) return;
  // A sample for header protection must be there; apart from that, packets without frames are possible.
  if (packet.number_size + packet.frames.size() < 4) packet.frames.resize(4 - packet.number_size);
  if (packet.type == PacketType::initial && packet.size == 0) packet.size = 1200;
  const bool proves_address = packet.type == PacketType::handshake && !packet.forged;
  const Data sealed = puppet_->seal(packet);
  if (held_.empty()) held_first_ = sealed.size();
  held_ = held_ + sealed;
  if (proves_address) remotes_[remote_].validated = true;
  if (held_.size() > 4096 || in_.byte() < 0xe0) flush(0);
}

void ConnectionScript::flush(size_t segment_size) {
  if (held_.empty()) return;
  deliver(std::exchange(held_, {}), segment_size);
  held_first_ = 0;
}

void ConnectionScript::send_chosen_packet() {
  static constexpr std::array kTypes = {PacketType::initial, PacketType::zero_rtt, PacketType::handshake,
                                        PacketType::one_rtt};
  PuppetPacket packet{.type = kTypes[in_.below(4)], .number_size = 1 + in_.below(4)};
  const uint16_t oddities = in_.word();
  const PacketNumber next = puppet_->next_number(space_of(packet.type));
  if (oddities & 1) packet.number = next + in_.number() % 100'000;
  if (oddities & 2) packet.number = next - std::min<PacketNumber>(next, in_.byte());
  if (oddities & 4) packet.destination = ConnectionId(Bytes(in_.data()).first(0));
  if (oddities & 8) packet.source = quic::tests::id_of("other");
  if (oddities & 16) packet.version = in_.flag() ? Version::v1 : Version::v2;
  if (oddities & 32) packet.token = in_.data();
  if (oddities & 64) packet.generation = puppet_->generation() + in_.below(3);
  if (oddities & 128) packet.key_phase = in_.flag();
  if (oddities & 256) packet.flip = in_.byte();
  if (oddities & 512) packet.forged = true;
  if (oddities & 1024) packet.size = 1 + in_.below(1500);
  if (oddities & 2048) packet.destination = puppet_->original_destination();
  // The reserved bits and, in short headers, the key phase: the size of the number stays true.
  const uint8_t may_flip = has_long_header(packet.type) ? 0x0c : 0x1c;
  packet.flip &= may_flip;
  switch (in_.below(4)) {
    case 0:
      packet.frames = in_.data();
      break;
    case 1:
      packet.frames = true_ack(space_of(packet.type));
      break;
    case 2:
      packet.frames = chosen_frame();
      break;
    case 3: {
      const Data bytes = in_.data();
      packet.frames = frames(CryptoFrame{.offset = in_.number() % 100'000, .data = bytes});
      break;
    }
  }
  send(std::move(packet));
}

/// An ACK of packets that the endpoint did send; nearly all of them, if the input wants.
Data ConnectionScript::true_ack(Space space) {
  const uint8_t skip = in_.byte();
  const bool lies = skip >= 0xf8;
  IntervalSet set(kAckRangesMax, IntervalSet::WhenFull::forget_lowest);
  size_t index = 0;
  for (const SeenPacket& packet : puppet_->packets()) {
    if (space_of(packet.type) != space || (packet.type == PacketType::zero_rtt)) continue;
    if (skip % 8 == 0 || ++index % (1 + skip % 8) != 0) (void)set.insert(packet.number);
  }
  if (lies) (void)set.insert(in_.number());
  if (set.empty()) return frames(PingFrame{});
  AckFields fields{.ack_delay = in_.number() % 20'000};
  if (in_.flag()) fields.ecn = EcnCounts{.ect0 = in_.number() % 1000, .ect1 = in_.below(2), .ce = in_.below(4)};
  Counter counter;
  write_ack(counter, set, fields, set.size());
  Data out(counter.size());
  Writer writer(out);
  write_ack(writer, set, fields, set.size());
  return out;
}

StreamId ConnectionScript::chosen_stream() {
  if (!streams_.empty() && in_.flag()) return streams_[in_.below(streams_.size())];
  return StreamId(in_.number() % 1000);
}

Data ConnectionScript::stream_frame() {
  const StreamId id = chosen_stream();
  const uint64_t offset = in_.number() % (uint64_t{1} << 61);
  const Data bytes(in_.below(700));
  return frames(StreamFrame{.stream_id = id, .offset = offset, .data = bytes, .fin = in_.below(4) == 0});
}

Data ConnectionScript::connection_id_frame() {
  if (in_.below(4) == 0) return frames(RetireConnectionIdFrame{.sequence_number = in_.number()});
  const bool repeats = in_.below(8) == 0;
  const uint64_t sequence = repeats ? in_.below(next_sequence_ + 1) : next_sequence_++;
  const uint64_t retire = std::min<uint64_t>(sequence, in_.below(4) == 0 ? in_.below(next_sequence_) : 0);
  StatelessResetToken token{};
  token[0] = static_cast<uint8_t>(sequence);
  token[1] = 1;
  return frames(NewConnectionIdFrame{.sequence_number = sequence,
                                     .retire_prior_to = retire,
                                     .connection_id = quic::tests::id_of("more", static_cast<uint8_t>(sequence)),
                                     .stateless_reset_token = token});
}

Data ConnectionScript::chosen_frame() {
  switch (in_.below(20)) {
    case 0:
      return frames(PingFrame{});
    case 1:
      return frames(ResetStreamFrame{
          .stream_id = chosen_stream(), .application_error_code = in_.number(), .final_size = in_.number()});
    case 2:
      return frames(StopSendingFrame{.stream_id = chosen_stream(), .application_error_code = in_.number()});
    case 3: {
      const Data bytes = in_.data();
      return frames(CryptoFrame{.offset = in_.number() % (kVarintMax - UINT8_MAX), .data = bytes});
    }
    case 4: {
      const Data token = in_.data();
      return token.empty() ? Data() : frames(NewTokenFrame{.token = token});
    }
    case 5:
      return stream_frame();
    case 6:
      return frames(MaxDataFrame{.maximum_data = in_.number()});
    case 7:
      return frames(MaxStreamDataFrame{.stream_id = chosen_stream(), .maximum_stream_data = in_.number()});
    case 8:
      return frames(MaxStreamsFrame{.unidirectional = in_.flag(), .maximum_streams = in_.number() % kStreamCountMax});
    case 9:
      return frames(DataBlockedFrame{.maximum_data = in_.number()});
    case 10:
      return frames(StreamDataBlockedFrame{.stream_id = chosen_stream(), .maximum_stream_data = in_.number()});
    case 11:
      return frames(StreamsBlockedFrame{.unidirectional = in_.flag(), .maximum_streams = in_.below(300)});
    case 12:
    case 13:
      return connection_id_frame();
    case 14:
      return frames(PathChallengeFrame{.data = path_data(in_.byte())});
    case 15:
      return frames(PathResponseFrame{.data = path_data(in_.byte())});
    case 16: {
      const Data reason = in_.data();
      const bool application = in_.flag();
      return frames(ConnectionCloseFrame{.application = application,
                                         .error_code = in_.number(),
                                         .frame_type = application ? 0 : in_.number(),
                                         .reason_phrase = reason});
    }
    case 17:
      return frames(HandshakeDoneFrame{});
    case 18: {
      const Data bytes(in_.below(1100));
      return frames(DatagramFrame{.data = bytes});
    }
    default:
      return Data(1 + in_.byte());  // PADDING
  }
}

void ConnectionScript::answer_challenges() {
  // The newest ones: who answers says that he is where the challenge went.
  Data all;
  for (; challenges_seen_ < puppet_->packets().size(); challenges_seen_++) {
    for (const CollectedFrame& frame : puppet_->packets()[challenges_seen_].frames) {
      if (frame.type != FrameType::path_challenge || all.size() > 100) continue;
      PathData data{};
      copy_bytes(data.data(), Bytes(frame.bytes).first(std::min(frame.bytes.size(), data.size())));
      all = all + frames(PathResponseFrame{.data = data});
    }
  }
  if (all.empty()) return;
  for (Remote& remote : remotes_) remote.validated = true;
  send(PuppetPacket{.frames = all, .size = 1200});
}

void ConnectionScript::change_puppet() {
  switch (in_.below(8)) {
    case 0:
      return puppet_->update_keys();
    case 1: {
      const Space space{static_cast<uint8_t>(in_.below(kSpaceCount))};
      return puppet_->set_next_number(space, puppet_->next_number(space) + in_.number() % 1'000'000);
    }
    case 2:
      puppet_->acknowledges = in_.flag();
      return;
    case 3:
      answers_by_itself_ = in_.flag();
      return;
    case 4: {
      const Data bytes = in_.data();
      return puppet_->say(tls::Level{static_cast<uint8_t>(in_.below(4))}, bytes);
    }
    case 5:
      puppet_->sends_done = in_.flag();
      return;
    case 6:
      puppet_->crypto_chunk = 1 + in_.byte();
      return;
    case 7: {  // other ids that the endpoint has given
      std::vector<ConnectionId> ids;
      for (const SeenPacket& packet : puppet_->packets()) {
        const CollectedFrame* frame = packet.find(FrameType::new_connection_id);
        if (frame && frame->bytes.size() > kStatelessResetTokenSize) {
          ids.emplace_back(Bytes(frame->bytes).first(frame->bytes.size() - kStatelessResetTokenSize));
        }
      }
      if (!ids.empty()) puppet_->remote = ids[in_.below(ids.size())];
      return;
    }
  }
}

void ConnectionScript::send_unprotected() {
  switch (in_.below(4)) {
    case 0:
      return deliver(in_.data());
    case 1:
      return send_stateless_reset();
    case 2: {
      if (puppet_->role() == Role::client || puppet_->original_destination().empty()) return;
      const Data token = Data{1} + in_.data();
      return deliver(puppet_->retry(token, quic::tests::id_of("retry"), in_.flag()));
    }
    case 3:
      if (puppet_->role() == Role::client || puppet_->original_destination().empty()) return;
      switch (in_.below(3)) {
        case 0:
          return deliver(puppet_->version_negotiation({Version::v1, Version::v2}));
        case 1:
          return deliver(puppet_->version_negotiation({Version::v2}));
        default:
          return deliver(puppet_->version_negotiation({Version{0x1a2a3a4a}}));
      }
  }
}

void ConnectionScript::send_stateless_reset() {
  // With a token that the puppet has given, or nearly.
  Data reset(5 + in_.below(40), 0x55);
  StatelessResetToken token{};
  token[0] = in_.byte();
  token[1] = 1;
  reset.insert(reset.end(), token.begin(), token.end());
  deliver(reset);
}

/// A datagram once more, of either side, with a byte changed.
void ConnectionScript::replay() {
  const auto& back = puppet_->datagrams();
  const uint8_t which = in_.byte();
  Data datagram;
  if (which % 2 == 0 && !delivered_.empty()) datagram = delivered_[which / 2 % delivered_.size()];
  if (which % 2 == 1 && !back.empty()) datagram = back[back.size() - 1 - which / 2 % back.size()].bytes;
  if (datagram.empty()) return;
  const size_t place = in_.word();
  datagram[place % datagram.size()] ^= in_.byte();
  if (in_.below(8) == 0) datagram.resize(place % datagram.size());
  deliver(datagram);
}

void ConnectionScript::use_streams() {
  Connection* connection = this->connection();
  const uint64_t what = in_.below(8);
  if (!connection) return;
  Streams& streams = connection->streams();
  const StreamId id = what == 0 ? StreamId(0) : chosen_stream();
  switch (what) {
    case 0:
      if (const auto opened = streams.open(in_.flag())) streams_.push_back(*opened);
      break;
    case 1:
    case 2:
      (void)streams.write(id, Bytes(Data(in_.below(6000))));
      break;
    case 3:
    case 4:
      (void)streams.read(id, 1 + in_.below(3000));
      break;
    case 5:
      (void)streams.finish(id);
      break;
    case 6:
      (void)streams.reset(id, ApplicationErrorCode{in_.byte()});
      break;
    case 7:
      (void)streams.stop(id, ApplicationErrorCode{in_.byte()});
      break;
  }
  settle();
}

void ConnectionScript::use_connection() {
  Connection* connection = this->connection();
  const uint64_t what = in_.below(9);
  if (!connection) return;
  switch (what) {
    case 0:
      (void)connection->send_datagram(Slice::copy_of(Data(in_.below(1400))));
      break;
    case 1:
      while (connection->receive_datagram()) {
      }
      break;
    case 2:
      if (in_.below(4) == 0) connection->close(now_, ApplicationErrorCode{in_.byte()}, "the script says so");
      break;
    case 3:
      (void)connection->migrate(now_, locals_[in_.below(2)]);
      break;
    case 4:
      (void)connection->update_keys(now_);
      break;
    case 5:
      connection->ping();
      break;
    case 6: {
      const auto& sent = puppet_->datagrams();
      const Data quoted = sent.empty() ? Data() : sent[sent.size() - 1 - in_.byte() % sent.size()].bytes;
      connection->on_icmp_too_big(now_, path(), in_.word(), Bytes(quoted).first(std::min<size_t>(quoted.size(), 40)));
      break;
    }
    case 7: {
      std::array<uint8_t, 32> key{};
      (void)connection->export_keying_material("label", {}, key);
      break;
    }
    case 8: {
      const Statistics statistics = connection->statistics();
      QUOLL_CHECK(statistics.packets_lost <= statistics.packets_sent);
      break;
    }
  }
  settle();
}

void ConnectionScript::use_endpoint() {
  switch (in_.below(4)) {
    case 0:  // the socket is full, or empty again
      socket_room_ = in_.flag() ? SIZE_MAX : in_.below(4);
      break;
    case 1:
      if (handle_) (void)endpoint_->accept(now_, *handle_);
      break;
    case 2:
      if (handle_) (void)(in_.flag() ? endpoint_->retry(now_, *handle_) : endpoint_->refuse(now_, *handle_));
      break;
    case 3:
      if (in_.below(16) == 0) endpoint_->close(now_, ApplicationErrorCode{7}, "all over");
      break;
  }
  settle();
}

}  // namespace quoll::fuzz

// The streams of a conversation: written, read and checked as planned.

#include <algorithm>

#include "tests/sim/conversation.h"

namespace quoll::sim {
namespace {

constexpr Duration kSlowReadEvery = Duration::milliseconds(5);
constexpr uint64_t kPieceMax = 20'000;  // of one write

}  // namespace

void Conversation::begin(Instant now) {
  begun_ = true;
  open_streams(now);
  maybe_begin_gap(now);
}

void Conversation::finish_half(Half& half) {
  half.done = true;
  halves_left_--;
}

void Conversation::refused(quic::StreamId id, bool peer_may_have_ended, const char* call, const Error& error) {
  if (peer_may_have_ended || connection()->is_closed()) return;
  fail(id, std::string(call) + " failed: " + error.reason);
}

/// The stream after the gap is opened when all others are through.
void Conversation::maybe_begin_gap(Instant now) {
  if (role_ != quic::Role::client || options_.gap_ms == 0 || gap_begun_ || halves_left_ > 2 || !connected_) return;
  gap_begun_ = true;
  at(now + Duration::milliseconds(options_.gap_ms), [this](Instant then) {
    gap_over_ = true;
    open_streams(then);
  });
}

void Conversation::open_streams(Instant now) {
  if (!begun_) return;
  for (const bool unidirectional : {false, true}) {
    uint64_t wanted = planned_streams(options_, role_, unidirectional);
    if (role_ == quic::Role::client && !unidirectional && options_.gap_ms > 0 && !gap_over_) wanted--;
    while (opened_[unidirectional] < wanted && open_one(now, unidirectional)) {
    }
  }
}

bool Conversation::open_one(Instant now, bool unidirectional) {
  const std::optional<quic::StreamId> id = connection()->streams().open(unidirectional);
  if (!id) {
    features_.add(Feature::opens_refused);
    return false;
  }
  if (*id != quic::StreamId(role_, unidirectional, opened_[unidirectional])) {
    fail(*id, "open() gave another id than the next");
    return false;
  }
  opened_[unidirectional]++;
  Stream& stream = add_stream(*id, true);
  if (options_.priorities > 0) {
    if (!connection()->streams().set_priority(*id, {stream.plan.urgency, stream.plan.incremental})) {
      fail(*id, "set_priority() failed");
    }
  }
  write_some(now, *id);
  return true;
}

Conversation::Stream* Conversation::find(quic::StreamId id) {
  const auto found = streams_.find(id.value());
  return found == streams_.end() ? nullptr : &found->second;
}

Conversation::Stream& Conversation::add_stream(quic::StreamId id, bool ours) {
  Stream& stream = streams_[id.value()];
  stream.plan = plan_of(options_, id);
  stream.ours = ours;
  stream.send.exists = ours || !id.is_unidirectional();
  stream.receive.exists = !ours || !id.is_unidirectional();
  return stream;
}

Conversation::Stream* Conversation::peers_stream(Instant now, quic::StreamId id) {
  if (Stream* known = find(id)) return known;
  if (id.initiator() == role_) {
    fail(id, "news of a stream of ours that we never opened");
    return nullptr;
  }
  if (id.index() >= planned_streams(options_, id.initiator(), id.is_unidirectional())) {
    fail(id, "the peer opens no such stream");
    return nullptr;
  }
  Stream& stream = add_stream(id, false);
  if (stream.send.exists && stream.plan.duplex) write_some(now, id);
  return &stream;
}

void Conversation::write_some(Instant now, quic::StreamId id) {
  Stream* stream = find(id);
  if (!stream || !stream->send.exists) return fail(id, "writable, but not for us");
  Half& half = stream->send;
  if (half.done || half.finished) return;
  half.begun = true;
  const DirectionPlan& plan = stream->plan.from(stream->ours);
  const uint64_t end = plan.reset_at.value_or(plan.size);
  while (half.offset < end) {
    const size_t size = std::min<uint64_t>(end - half.offset, 1 + dice_.below(kPieceMax));
    const Result<size_t> written = write_piece(id, *stream, size);
    if (!written) return refused(id, plan.stop_at.has_value(), "write()", written.error());
    half.offset += *written;
    if (*written > size) return fail(id, "write() took more than there was");
    if (*written < size) return features_.add(Feature::writes_cut_short);
  }
  after_writing(now, id, *stream);
}

Result<size_t> Conversation::write_piece(quic::StreamId id, Stream& stream, size_t size) {
  std::vector<uint8_t> bytes(size);
  fill_pattern(options_.seed, id, stream.ours, stream.send.offset, bytes);
  if (dice_.below(2) == 0) return connection()->streams().write(id, Bytes(bytes));
  Slice slice = Slice::copy_of(bytes);
  const Result<size_t> written = connection()->streams().write(id, slice);
  if (written && slice.size() != size - *written) fail(id, "write() left another number of bytes in the slice");
  return written;
}

void Conversation::after_writing(Instant now, quic::StreamId id, Stream& stream) {
  const DirectionPlan& plan = stream.plan.from(stream.ours);
  Half& half = stream.send;
  if (!plan.reset_at) {
    half.finished = true;
    if (const auto done = connection()->streams().finish(id); !done) {
      refused(id, plan.stop_at.has_value(), "finish()", done.error());
    }
    return;
  }
  half.finished = true;  // nothing more is written; the reset follows
  at(now + Duration::milliseconds(plan.reset_delay_ms), [this, id](Instant then) {
    Stream& late = *find(id);
    if (late.send.done) return;  // stopped by the peer
    const DirectionPlan& ours = late.plan.from(late.ours);
    if (const auto done = connection()->streams().reset(id, ours.reset_code); !done) {
      return refused(id, ours.stop_at.has_value(), "reset()", done.error());
    }
    features_.add(Feature::streams_reset);
    finish_half(late.send);
    maybe_begin_gap(then);
  });
}

void Conversation::read_some(Instant now, quic::StreamId id) {
  Stream* stream = peers_stream(now, id);
  if (!stream) return;
  if (!stream->receive.exists) return fail(id, "readable, but only the peer reads it");
  const DirectionPlan& plan = stream->plan.from(!stream->ours);
  while (!stream->receive.done && !world_.verdict.failed()) {
    if (stream->receive.waiting) return;
    if (plan.stop_at && stream->receive.offset >= *plan.stop_at) {
      if (const auto done = connection()->streams().stop(id, plan.stop_code); !done) {
        return refused(id, plan.reset_at.has_value(), "stop()", done.error());
      }
      return end_of_receiving(now, id, *stream);
    }
    const Result<std::optional<quic::Chunk>> chunk = connection()->streams().read(id, plan.read_max);
    if (!chunk) return on_read_error(now, id, chunk.error());
    if (!*chunk) return;
    if ((*chunk)->data.size() > plan.read_max) return fail(id, "read() gave more than was asked for");
    if (!take_chunk(now, id, **chunk)) return;
    if (!stream->receive.done && read_later(now, id, *stream)) return;
  }
}

/// A slow reader, or one that pauses: a timer goes on reading.
bool Conversation::read_later(Instant now, quic::StreamId id, Stream& stream) {
  const DirectionPlan& plan = stream.plan.from(!stream.ours);
  Half& half = stream.receive;
  Duration wait{};
  if (plan.pause && !half.paused && half.offset >= plan.size / 2) {
    half.paused = true;
    wait = Duration::milliseconds(options_.pause_ms);
  } else if (plan.read_max != UINT32_MAX) {
    wait = kSlowReadEvery;
  }
  if (wait.is_zero()) return false;
  features_.add(Feature::slow_reads);
  half.waiting = true;
  at(now + wait, [this, id](Instant then) {
    find(id)->receive.waiting = false;
    read_some(then, id);
  });
  return true;
}

bool Conversation::take_chunk(Instant now, quic::StreamId id, const quic::Chunk& chunk) {
  Stream& stream = *find(id);
  const DirectionPlan& plan = stream.plan.from(!stream.ours);
  if (chunk.data.empty() && !chunk.fin) {
    fail(id, "an empty chunk that is not the end");
    return false;
  }
  std::vector<uint8_t> expected(chunk.data.size());
  fill_pattern(options_.seed, id, !stream.ours, stream.receive.offset, expected);
  if (!std::equal(expected.begin(), expected.end(), chunk.data.bytes().begin())) {
    fail(id, "wrong bytes at offset " + std::to_string(stream.receive.offset));
    return false;
  }
  stream.receive.offset += chunk.data.size();
  if (stream.receive.offset > plan.reset_at.value_or(plan.size)) {
    fail(id, "more bytes than were sent");
    return false;
  }
  if (chunk.fin) {
    if (plan.reset_at) fail(id, "ended, although it was never finished");
    if (stream.receive.offset != plan.size) fail(id, "ended too early");
    end_of_receiving(now, id, stream);
  }
  return true;
}

void Conversation::on_read_error(Instant now, quic::StreamId id, const Error& error) {
  Stream& stream = *find(id);
  const DirectionPlan& plan = stream.plan.from(!stream.ours);
  if (error.domain != ErrorDomain::application) return refused(id, false, "read()", error);
  if (!plan.reset_at) return fail(id, "reset by a peer that never did that");
  if (error.code != static_cast<uint64_t>(plan.reset_code)) return fail(id, "reset with another code");
  end_of_receiving(now, id, stream);
}

void Conversation::end_of_receiving(Instant now, quic::StreamId id, Stream& stream) {
  finish_half(stream.receive);
  if (stream.send.exists && !stream.send.begun && !stream.ours) write_some(now, id);
  maybe_begin_gap(now);
}

}  // namespace quoll::sim

// What must always hold between the parts of Streams: sums of flow control, queues, states.
#include "quic/stream/streams.h"

namespace quoll::quic {

void Streams::check_invariants() const {
  uint64_t sent = data_sent_by_gone_;
  uint64_t not_returned = 0;
  uint64_t unsent = 0;
  uint64_t open[2][2] = {};
  table_.for_each([&](const Stream& stream) {
    check_stream(stream);
    if (stream.send) sent += stream.send->sent_end();
    QUOLL_CHECK(stream.unsent_counted == (stream.send ? stream.send->unsent() : 0));
    unsent += stream.unsent_counted;
    if (stream.receive) not_returned += stream.receive->highest() - stream.receive->returned();
    open[is_ours(stream.id())][stream.id().is_unidirectional()]++;
  });
  // RFC 9000 §4.1: the connection's counts are the sums of its streams'.
  QUOLL_CHECK(data_sent_ == sent);
  QUOLL_CHECK(unsent_ == unsent);
  QUOLL_CHECK(data_sent_ <= data_limit_.limit());
  QUOLL_CHECK(data_received_ == data_window_.consumed() + not_returned);
  QUOLL_CHECK(data_received_ <= data_window_.limit().announced());
  for (const size_t kind : {0, 1}) {
    QUOLL_CHECK(own_[kind].open_count() == open[1][kind]);
    QUOLL_CHECK(peers_[kind].open_count() == open[0][kind]);
    QUOLL_CHECK(peers_[kind].next_index() <= peers_[kind].limit().announced());
    const uint64_t max = kind == 0 ? limits_.max_bidirectional_streams : limits_.max_unidirectional_streams;
    QUOLL_CHECK(open[0][kind] <= max);
    QUOLL_CHECK(peers_[kind].limit().granted() <= kStreamCountMax);
  }
  QUOLL_CHECK(statistics_.open == table_.size());
  QUOLL_CHECK(statistics_.open == open[0][0] + open[0][1] + open[1][0] + open[1][1]);
  QUOLL_CHECK(!has_data() || scheduler_.can_send(true));
  if (credit() == 0 && scheduler_.wants_credit()) QUOLL_CHECK(data_limit_.is_blocked());
}

void Streams::check_stream(const Stream& stream) const {
  QUOLL_CHECK(table_.find(stream.id()) == &stream);
  QUOLL_CHECK(stream.send || stream.receive || stream.news != 0);
  QUOLL_CHECK(NewsQueue::is_linked(stream) >= (stream.news != 0));
  const SendStream* send = stream.send.get();
  const ReceiveStream* receive = stream.receive.get();
  QUOLL_CHECK(!send || can_send_on(stream.id()));
  QUOLL_CHECK(!receive || can_receive_on(stream.id()));
  const bool speaks = may_speak(stream.id());
  // Who is in a queue has something to do there, and the other way round.
  QUOLL_CHECK(stream.need() == (send && speaks ? send->need() : SendNeed::nothing));
  QUOLL_CHECK(static_cast<const ListHook<ScheduleTag>&>(stream).is_linked() == (stream.need() != SendNeed::nothing));
  const bool control = (send && (send->wants_reset_frame() || send->limit().wants_to_send())) ||
                       (receive && (receive->wants_stop_frame() || receive->wants_limit_frame()));
  QUOLL_CHECK(ControlQueue::is_linked(stream) == (control && speaks));
  if (send) {
    QUOLL_CHECK(send->sent_end() <= send->limit().limit());
    QUOLL_CHECK((stream.need() != SendNeed::nothing) <= send->next(UINT64_MAX).has_value());
    QUOLL_CHECK(!send->is_terminal() || stream.has(StreamNews::delivered) || stream.has(StreamNews::stopped));
  }
  if (receive) {
    QUOLL_CHECK(!receive->is_terminal());
    QUOLL_CHECK(receive->highest() <= receive->window().limit().announced());
    QUOLL_CHECK(receive->returned() <= receive->highest());
    QUOLL_CHECK(receive->is_reset() == stream.has(StreamNews::reset));
    if (receive->is_readable()) QUOLL_CHECK(stream.readable_told);
    if (stream.has(StreamNews::readable)) QUOLL_CHECK(receive->is_readable());
  }
}

}  // namespace quoll::quic

// Exchange: a request and its response on one stream, or a pushed response, as a Session keeps it. ExchangeTable: those
// that exist, found by stream in O(1).
//
// A stream has two parts, each in its own state. When both are over, the exchange is closed: it leaves the table at once,
// and its memory goes with the next call from outside, so that whoever works on it may finish.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/ring.h"
#include "base/slice.h"
#include "h3/frame.h"
#include "h3/message.h"
#include "http/priority.h"

namespace quoll::h3 {

/// What of a request's method decides how messages are framed.
enum class Method : uint8_t { other, head, connect };

struct Exchange {
  explicit Exchange(uint64_t id) : stream(id) {}

  enum class Receive : uint8_t {
    promise,   // a push whose PUSH_PROMISE has not come: nothing is read
    head,      // interim responses and the head
    body,      // DATA, then trailers or the end
    trailers,  // they came: nothing but the end follows
    over,      // it has ended, or nobody wants it any more
  };
  enum class Send : uint8_t {
    head,      // no final head was written
    body,      // it was
    finished,  // so was the end
    over,      // all arrived, or we gave it up, or the peer wants no more
  };

  const uint64_t stream;
  std::optional<uint64_t> push_id = {};
  Method method = Method::other;
  Receive receive = Receive::head;
  Send send = Send::head;
  http::Priority priority;
  http::Priority asked;  // by the client's last update

  bool told = false;       // the application knows it
  bool delivered = false;  // all that we sent arrived
  bool tunnel = false;     // CONNECT succeeded: DATA alone
  bool in_frame = false;   // `frame` is not worked off
  bool end_read = false;   // the transport has given its last byte
  bool blocked = false;    // `section` waits for the dynamic table
  bool readable_told = false;
  bool wants_room = false;    // BodyWritable is awaited
  bool finish_waits = false;  // the end follows `waiting`
  bool priority_told = false;
  bool priority_ours = false;  // the application's word stands against the client's
  bool datagram_told = false;
  bool trailers_wait = false;  // to be polled; the end is not told before
  bool discarding = false;     // nobody wants the rest of what comes
  uint8_t interim_waiting = 0;

  // What comes.
  FrameReader frames;
  FrameHeader frame;
  Slice input;                   // read and not worked off: a piece, not more
  std::vector<uint8_t> section;  // a payload that came in parts, or waits
  ContentCheck content;
  size_t discarded = 0;  // bytes of the body

  // What goes.
  Ring<Slice> waiting{SIZE_MAX};  // written, and not taken by the transport
  ContentCheck announced;         // by the content-length of our head

  /// Datagrams that wait for the application. Most exchanges never have one.
  std::unique_ptr<Ring<Slice>> datagrams = {};

  bool is_over() const { return receive == Receive::over && send == Send::over; }
  bool is_push() const { return push_id.has_value(); }
};

/// An open-addressing hash table, at most half full. A peer cannot make streams collide without opening and closing about
/// as many as the table has places for each.
class ExchangeTable {
 public:
  Exchange* find(uint64_t stream) const;
  /// The stream has none yet.
  Exchange& insert(uint64_t stream);
  std::unique_ptr<Exchange> take(const Exchange& exchange);
  size_t size() const { return size_; }

  /// Calls visit(Exchange&) for each, in no order; visit must neither insert nor take.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const std::unique_ptr<Exchange>& slot : slots_) {
      if (slot) visit(*slot);
    }
  }
  /// The streams that exist, for who changes the table meanwhile.
  std::vector<uint64_t> streams() const;

 private:
  static constexpr size_t kSmallest = 8;

  size_t home_of(uint64_t stream) const {
    return static_cast<size_t>(stream * 0x9e3779b97f4a7c15u >> 32) & (slots_.size() - 1);
  }
  size_t place_of(uint64_t stream) const;
  void resize(size_t slots);

  std::vector<std::unique_ptr<Exchange>> slots_;  // a power of two, or none
  size_t size_ = 0;
};

}  // namespace quoll::h3

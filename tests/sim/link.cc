#include "tests/sim/link.h"

namespace quoll::sim {

void Exit::forward(Instant when, Datagram datagram) {
  if (when <= link_.scheduler_.now()) return link_.enter(next_, std::move(datagram));
  link_.scheduler_.at(
      when, [&link = link_, next = next_, held = std::move(datagram)]() mutable { link.enter(next, std::move(held)); });
}

void Exit::drop(const Datagram& datagram, const char* why) {
  link_.journal_.datagram(link_.scheduler_.now(), link_.direction_, why, datagram);
  if (datagram.origin == Origin::sent) link_.journal_.count_loss(link_.scheduler_.now(), link_.direction_);
}

void Exit::note(const Datagram& datagram, const char* what) {
  link_.journal_.datagram(link_.scheduler_.now(), link_.direction_, what, datagram);
}

void Link::enter(size_t index, Datagram datagram) {
  if (index == elements_.size()) return deliver_(std::move(datagram));
  Exit exit(*this, index + 1);
  elements_[index]->pass(scheduler_.now(), std::move(datagram), exit);
}

}  // namespace quoll::sim

#include "h3/exchange.h"

namespace quoll::h3 {

/// Where the stream is, or the free place where it belongs.
size_t ExchangeTable::place_of(uint64_t stream) const {
  size_t place = home_of(stream);
  while (slots_[place] && slots_[place]->stream != stream) place = (place + 1) & (slots_.size() - 1);
  return place;
}

Exchange* ExchangeTable::find(uint64_t stream) const {
  return slots_.empty() ? nullptr : slots_[place_of(stream)].get();
}

Exchange& ExchangeTable::insert(uint64_t stream) {
  if (2 * (size_ + 1) > slots_.size()) resize(slots_.empty() ? kSmallest : 2 * slots_.size());
  std::unique_ptr<Exchange>& slot = slots_[place_of(stream)];
  QUOLL_CHECK(!slot);
  slot = std::make_unique<Exchange>(stream);
  size_++;
  return *slot;
}

std::unique_ptr<Exchange> ExchangeTable::take(const Exchange& exchange) {
  const size_t mask = slots_.size() - 1;
  size_t hole = place_of(exchange.stream);
  QUOLL_CHECK(slots_[hole].get() == &exchange);
  std::unique_ptr<Exchange> taken = std::move(slots_[hole]);
  // Those that follow move up where the hole is on their way from home.
  for (size_t place = (hole + 1) & mask; slots_[place]; place = (place + 1) & mask) {
    const size_t home = home_of(slots_[place]->stream);
    if (((place - home) & mask) < ((place - hole) & mask)) continue;
    slots_[hole] = std::move(slots_[place]);
    hole = place;
  }
  size_--;
  if (slots_.size() > kSmallest && 8 * size_ < slots_.size()) resize(slots_.size() / 4);
  return taken;
}

std::vector<uint64_t> ExchangeTable::streams() const {
  std::vector<uint64_t> all;
  all.reserve(size_);
  for_each([&](const Exchange& exchange) { all.push_back(exchange.stream); });
  return all;
}

void ExchangeTable::resize(size_t slots) {
  slots = std::max(slots, kSmallest);
  std::vector<std::unique_ptr<Exchange>> old(slots);
  old.swap(slots_);
  for (std::unique_ptr<Exchange>& slot : old) {
    if (slot) slots_[place_of(slot->stream)] = std::move(slot);
  }
}

}  // namespace quoll::h3

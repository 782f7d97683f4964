#include "tests/lab/batch.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace quoll::lab {

std::vector<RunResult> run_all(std::span<const Wish> wishes, unsigned jobs,
                               const std::function<void(const RunResult&)>& tell) {
  std::vector<RunResult> results(wishes.size());
  std::vector<bool> is_there(wishes.size());
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  size_t told = 0;
  const auto work = [&] {
    for (size_t i = next++; i < wishes.size(); i = next++) {
      RunResult result = run(wishes[i].scenario, wishes[i].controller, wishes[i].seed);
      if (!wishes[i].keeps_samples) result.samples = {};
      const std::lock_guard lock(mutex);
      results[i] = std::move(result);
      is_there[i] = true;
      while (told < wishes.size() && is_there[told]) tell(results[told++]);
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < std::min<size_t>(jobs, wishes.size()); i++) threads.emplace_back(work);
  work();
  threads.clear();
  return results;
}

}  // namespace quoll::lab

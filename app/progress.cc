#include "app/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

namespace quoll::app {
namespace {

constexpr size_t kColumnsDefault = 79, kColumnsMax = 120;
constexpr size_t kBarMin = 10;  // a shorter bar says nothing

size_t terminal_columns() {
  struct winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return kColumnsDefault;
  return std::min<size_t>(size.ws_col - 1, kColumnsMax);  // terminals wrap after the last column
}

void write_error(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // a terminal that went away: nobody looks
    text.remove_prefix(static_cast<size_t>(written));
  }
}

std::string bar(uint64_t done, uint64_t total, size_t width) {
  const size_t full = total == 0 ? width : static_cast<size_t>(mul_div(std::min(done, total), width, total));
  std::string text(full, '=');
  if (full < width) text.append(1, '>').append(width - full - 1, ' ');
  return "[" + text + "]";
}

std::string remaining(const ProgressState& state) {
  if (!state.total) return clock_text(state.elapsed);
  const uint64_t left = *state.total - std::min(state.done, *state.total);
  return left == 0 ? clock_text(state.elapsed) : clock_text(state.rate.time_for(left)) + " left";
}

}  // namespace

std::string size_text(uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::string_view kUnits = "KMGTPE";
  double count = static_cast<double>(bytes);
  size_t unit = 0;
  for (count /= 1024; count >= 999.5 && unit + 1 < kUnits.size(); unit++) count /= 1024;
  char text[32];
  const int decimals = count < 9.995 ? 2 : count < 99.95 ? 1 : 0;
  std::snprintf(text, sizeof text, "%.*f %ciB", decimals, count, kUnits[unit]);
  return text;
}

std::string clock_text(Duration duration) {
  if (duration.is_infinite()) return "-:--";
  const int64_t seconds = std::max<int64_t>(duration.as_milliseconds(), 0) / 1'000;
  const int64_t hours = seconds / 3'600;
  if (hours > 999) return "-:--";
  char text[32];
  if (hours != 0) {
    std::snprintf(text, sizeof text, "%d:%02d:%02d", static_cast<int>(hours), static_cast<int>(seconds / 60 % 60),
                  static_cast<int>(seconds % 60));
  } else {
    std::snprintf(text, sizeof text, "%d:%02d", static_cast<int>(seconds / 60), static_cast<int>(seconds % 60));
  }
  return text;
}

std::string progress_line(const ProgressState& state, size_t columns) {
  const std::string amount = size_text(state.done) + (state.total ? " of " + size_text(*state.total) : "");
  const std::string speed = size_text(state.rate.is_infinite() ? 0 : state.rate.as_bytes_per_second()) + "/s";
  std::string front, back = amount + "  " + speed + "  " + remaining(state);
  if (state.transfers > 1) front = std::to_string(state.transfers_done) + "/" + std::to_string(state.transfers) + "  ";
  if (state.total) {
    const uint64_t percent = *state.total == 0 ? 100 : mul_div(std::min(state.done, *state.total), 100, *state.total);
    char text[8];
    std::snprintf(text, sizeof text, "%3u%% ", static_cast<unsigned>(percent));
    front += text;
    // The bar takes what is left: where that is too little, there is none.
    const size_t used = front.size() + back.size() + 4;
    if (used + kBarMin <= columns) front += bar(state.done, *state.total, columns - used) + "  ";
  }
  if (front.size() + back.size() > columns) back = amount;
  if (front.size() + back.size() > columns) return amount.substr(0, columns);
  return front + back;
}

void RateMeter::add(Instant now, uint64_t done) {
  latest_ = {now, done};
  const Sample& last = samples_[(next_ + kSamples - 1) % kSamples];
  if (count_ != 0 && now - last.time < kInterval) return;
  samples_[next_] = latest_;
  next_ = (next_ + 1) % kSamples;
  count_ = std::min(count_ + 1, kSamples);
}

Bandwidth RateMeter::rate() const {
  if (count_ == 0) return {};
  const Sample& oldest = samples_[count_ < kSamples ? 0 : next_];
  if (latest_.time <= oldest.time || latest_.done < oldest.done) return {};
  return Bandwidth::of(latest_.done - oldest.done, latest_.time - oldest.time);
}

void ProgressBar::draw(const ProgressState& state) {
  std::string line = progress_line(state, terminal_columns());
  const size_t size = line.size();
  line.resize(std::max(size, shown_), ' ');  // over what the line before leaves
  shown_ = size;
  write_error("\r" + line);
}

void ProgressBar::clear() {
  if (shown_ == 0) return;
  write_error("\r" + std::string(shown_, ' ') + "\r");
  shown_ = 0;
}

void ProgressBar::finish() {
  if (shown_ != 0) write_error("\n");
  shown_ = 0;
}

}  // namespace quoll::app

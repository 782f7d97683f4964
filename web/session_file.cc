#include "web/session_file.h"

#include <algorithm>
#include <cerrno>

#include "base/reader.h"
#include "base/writer.h"
#include "crypto/ct.h"
#include "crypto/provider.h"
#include "os/file.h"
#include "os/write_file.h"
#include "quic/endpoint/resumption_state.h"

namespace quoll::web {
namespace {

constexpr std::string_view kMagic = "quoll sessions 1\n";
constexpr unsigned kMode = 0600;

struct Entry {
  std::string name;
  std::vector<uint8_t> state;
};

template <Sink S>
void write_entries(S& sink, const std::vector<Entry>& entries, const TrustDigest& trust) {
  sink.bytes(as_bytes(kMagic));
  sink.bytes(trust);
  for (const Entry& entry : entries) {
    {
      const LengthPrefix length(sink, Prefix::u16);
      sink.bytes(as_bytes(entry.name));
    }
    const LengthPrefix length(sink, Prefix::u24);
    sink.bytes(entry.state);
  }
}

/// All that the store gives, in the order in which it is to be put again.
std::vector<Entry> take_all(quic::ResumptionStore& store, UnixTime now) {
  std::vector<Entry> entries;
  for (const std::string& name : store.names()) {
    const size_t first = entries.size();
    while (auto state = store.take(name, now)) {
      std::vector<uint8_t> encoded = quic::encode_resumption_state(*state);
      if (!encoded.empty()) entries.push_back({name, std::move(encoded)});
    }
    std::reverse(entries.begin() + static_cast<ptrdiff_t>(first), entries.end());  // the newest came first
  }
  return entries;
}

}  // namespace

TrustDigest trust_digest(const x509::TrustStore* trust, std::span<const x509::SpkiPin> pins) {
  crypto::Hash hash(*crypto::best().sha256);
  const auto add = [&hash](Bytes bytes) {
    uint8_t size[8];
    store_be<uint64_t>(size, bytes.size());
    hash.update(size);
    hash.update(bytes);
  };
  add(as_bytes(trust ? "authorities" : "nobody"));
  std::vector<x509::SpkiPin> sorted(pins.begin(), pins.end());
  std::ranges::sort(sorted);
  for (const x509::SpkiPin& pin : sorted) add(pin);
  add({});
  if (trust) {
    for (const auto& certificate : trust->certificates()) add(certificate->der());
  }
  const crypto::Digest digest = hash.digest();
  TrustDigest out;
  copy_bytes(out.data(), digest.bytes().first(out.size()));
  return out;
}

std::vector<uint8_t> encode_sessions(quic::ResumptionStore& store, const TrustDigest& trust, UnixTime now) {
  std::vector<Entry> entries = take_all(store, now);
  Counter counter;
  write_entries(counter, entries, trust);
  std::vector<uint8_t> encoded(counter.size());
  Writer writer(encoded);
  write_entries(writer, entries, trust);
  QUOLL_CHECK(writer.ok() && writer.size() == encoded.size());
  for (Entry& entry : entries) crypto::ct::wipe(entry.state.data(), entry.state.size());
  return encoded;
}

Result<void> decode_sessions(Bytes encoded, const TrustDigest& trust, quic::ResumptionStore& store) {
  Reader reader(encoded);
  if (as_text(reader.bytes(kMagic.size())) != kMagic) return usage_error("is no session file of quoll");
  const Bytes given = reader.bytes(trust.size());
  const bool is_ours = reader.ok() && std::ranges::equal(given, trust);
  while (reader.ok() && reader.remaining() != 0) {
    const Bytes name = reader.prefixed_u16().rest();
    const Bytes state_bytes = reader.prefixed_u24().rest();
    if (!reader.ok()) break;
    Result<quic::ResumptionState> state = quic::decode_resumption_state(state_bytes);
    if (!state) return usage_error("is damaged: remove it");
    if (is_ours) store.put(as_text(name), std::move(*state));
  }
  if (!reader.finished()) return usage_error("is damaged: remove it");
  return {};
}

Result<void> load_sessions(const std::string& path, const TrustDigest& trust, quic::ResumptionStore& store) {
  Result<std::vector<uint8_t>> contents = os::read_file(path.c_str(), kSessionFileSizeMax);
  if (!contents) {
    if (contents.error().domain == ErrorDomain::system && contents.error().code == ENOENT) return {};
    return std::unexpected(contents.error());
  }
  const Result<void> decoded = contents->empty() ? Result<void>() : decode_sessions(*contents, trust, store);
  crypto::ct::wipe(contents->data(), contents->size());
  return decoded;
}

Result<void> save_sessions(const std::string& path, const TrustDigest& trust, quic::ResumptionStore& store,
                           UnixTime now) {
  std::vector<uint8_t> encoded = encode_sessions(store, trust, now);
  const Result<void> written = os::write_file(path.c_str(), encoded, kMode, os::Existing::replace);
  crypto::ct::wipe(encoded.data(), encoded.size());
  return written;
}

}  // namespace quoll::web

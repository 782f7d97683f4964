#include "tls/stream.h"

#include <algorithm>

#include "base/check.h"
#include "base/shrink.h"
#include "tls/cipher_suite.h"
#include "tls/messages.h"

namespace quoll::tls {
namespace {

constexpr size_t kBufferKept = 64 * 1024;  // bytes of an empty buffer that are not given back

/// Takes bytes off the front of a buffer. What is left moves only when it is the smaller part.
void drop_front(std::vector<uint8_t>& buffer, size_t& begin, size_t size) {
  QUOLL_CHECK(size <= buffer.size() - begin);
  begin += size;
  if (begin < buffer.size() / 2) return;
  buffer.erase(buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(begin));
  begin = 0;
  if (buffer.empty() && buffer.capacity() > kBufferKept) release(buffer);
}

/// The alert that tells the peer of an error. Only errors of the tls domain are its fault.
Alert alert_of(const Error& error) {
  if (error.domain == ErrorDomain::tls) return static_cast<Alert>(error.code);
  if (error.domain == ErrorDomain::certificate) return alert_for(static_cast<x509::Failure>(error.code));
  return Alert::internal_error;
}

bool is_closure(Alert alert) { return alert == Alert::close_notify || alert == Alert::user_canceled; }

/// Whether a ClientHello, ServerHello or HelloRetryRequest has a session id (RFC 8446 §4.1.2, §4.1.3): all begin with
/// version and random.
bool has_session_id(Bytes hello) {
  constexpr size_t kOffset = kHandshakeHeaderSize + 2 + kRandomSize;
  return hello.size() > kOffset && hello[kOffset] != 0;
}

/// Certificates are not copied.
Negotiated without_certificates(const Negotiated& from) {
  Negotiated negotiated;
  negotiated.cipher_suite = from.cipher_suite;
  negotiated.group = from.group;
  negotiated.application_protocol = from.application_protocol;
  negotiated.server_name = from.server_name;
  negotiated.resumed = from.resumed;
  negotiated.hello_retry = from.hello_retry;
  negotiated.early_data = from.early_data;
  negotiated.peer_signature_scheme = from.peer_signature_scheme;
  return negotiated;
}

}  // namespace

Stream::Stream(Session session, const StreamOptions& options) : session_(std::move(session)), options_(options) {
  writer_.set_padding_multiple(options.padding_multiple);
}

Result<Stream> Stream::client(std::shared_ptr<const ClientConfig> config, ClientOptions options, Rng& rng, UnixTime now,
                              const StreamOptions& stream_options) {
  if (config->mode != Mode::stream) return usage_error("a stream wants a configuration for streams");
  const crypto::Provider* provider = config->provider;
  const size_t early_data_size_max = options.ticket ? options.ticket->max_early_data_size : 0;
  auto session = Session::client(std::move(config), std::move(options), rng, now);
  if (!session) return std::unexpected(session.error());
  Stream stream(std::move(*session), stream_options);
  stream.provider_ = provider;
  stream.early_data_size_max_ = std::min(early_data_size_max, kEarlyDataKeptMax);
  stream.writer_.set_legacy_version(0x0301);
  stream.reader_.allow_change_cipher_spec(true);
  if (const auto started = stream.drain(); !started) return std::unexpected(started.error());
  return stream;
}

Result<Stream> Stream::server(std::shared_ptr<const ServerConfig> config, ServerOptions options, Rng& rng,
                              const StreamOptions& stream_options) {
  if (config->mode != Mode::stream) return usage_error("a stream wants a configuration for streams");
  const crypto::Provider* provider = config->provider;
  const size_t early_data_size_max = config->max_early_data_size;
  auto session = Session::server(std::move(config), std::move(options), rng);
  if (!session) return std::unexpected(session.error());
  Stream stream(std::move(*session), stream_options);
  stream.provider_ = provider;
  stream.early_data_size_max_ = early_data_size_max;
  return stream;
}

// What comes in

Result<void> Stream::receive(Bytes bytes, UnixTime now) {
  if (failure_) return std::unexpected(*failure_);
  if (read_closed_) return {};
  reader_.receive(bytes);
  while (!read_closed_) {
    const auto record = reader_.next();
    if (!record) return fail(record.error());
    if (!*record) break;
    if (const auto taken = on_record(**record, now); !taken) return fail(taken.error());
  }
  return {};
}

bool Stream::receive_end() { return read_closed_; }

Result<void> Stream::on_record(const Record& record, UnixTime now) {
  switch (record.type) {
    case ContentType::handshake:
      return on_handshake(record.content, now);
    case ContentType::alert:
      return on_alert(record.content);
    case ContentType::application_data:
      return on_application_data(record.content);
    case ContentType::change_cipher_spec:
    case ContentType::invalid:
      break;
  }
  return abort_with(Alert::unexpected_message, "a record that the reader should not give");
}

Result<void> Stream::on_handshake(Bytes content, UnixTime now) {
  const auto received = session_->receive(read_level_, content, now);
  // Even if it failed: what it put out before decides under which key the alert goes.
  const auto drained = drain();
  return received ? drained : received;
}

Result<void> Stream::on_alert(Bytes content) {
  // RFC 8446 §5.1: exactly one in a record.
  if (content.size() != 2) return abort_with(Alert::decode_error, "an alert record that is not one alert");
  // RFC 8446 §6: the level is ignored; what is not a closure alert is an error, unknown ones included.
  const auto alert = static_cast<Alert>(content[1]);
  if (!is_closure(alert)) {
    peer_alert_ = content[1];
    return std::unexpected(Error{.domain = ErrorDomain::tls, .code = content[1], .reason = "the peer sent an alert"});
  }
  if (reader_.inside_message()) return abort_with(Alert::unexpected_message, "an alert amid a handshake message");
  // RFC 8446 §6.1: after user_canceled, reading goes on until the close_notify.
  if (alert == Alert::close_notify) read_closed_ = true;
  return {};
}

Result<void> Stream::on_application_data(Bytes content) {
  switch (read_level_) {
    case Level::early_data:
      early_data_size_ += content.size();
      // RFC 8446 §4.6.1
      if (early_data_size_ > early_data_size_max_) {
        return abort_with(Alert::unexpected_message, "more early data than max_early_data_size");
      }
      incoming_early_ = incoming_.size() + content.size();
      break;
    case Level::application:
      if (!content.empty()) key_updates_in_a_row_ = 0;
      break;
    case Level::initial:
    case Level::handshake:
      return abort_with(Alert::unexpected_message, "application data before the handshake is complete");
  }
  incoming_.insert(incoming_.end(), content.begin(), content.end());
  return {};
}

Stream::Readable Stream::readable() const {
  const Bytes all = Bytes(incoming_).subspan(incoming_begin_);
  const bool early = incoming_begin_ < incoming_early_;
  return {.data = early ? all.first(incoming_early_ - incoming_begin_) : all, .early = early};
}

void Stream::consume(size_t size) {
  QUOLL_CHECK(size <= readable().data.size());
  const size_t begin = incoming_begin_ + size;
  drop_front(incoming_, incoming_begin_, size);
  const size_t moved = begin - incoming_begin_;
  incoming_early_ -= std::min(moved, incoming_early_);
}

// What the session puts out

Result<void> Stream::drain() {
  while (auto output = session_->poll()) {
    auto done = std::visit([this](auto& value) { return on_output(value); }, *output);
    if (!done) return done;
  }
  return {};
}

Result<void> Stream::on_output(Send& send) {
  if (write_closed_) return {};  // RFC 8446 §6.1: nothing follows our close_notify
  const bool is_client = session_->side() == Side::client;
  if (send.level == Level::initial) {
    if (!first_hello_sent_) compatibility_mode_ = has_session_id(send.bytes);
    // RFC 8446 appendix D.4: before a client's second flight. That one may follow early data: it is not protected.
    if (is_client && first_hello_sent_) send_change_cipher_spec();
    writer_.set_protection(std::nullopt);
    write_level_ = Level::initial;
  } else if (send.level == Level::handshake && is_client) {
    send_change_cipher_spec();
  }
  auto written = writer_.write(ContentType::handshake, send.bytes, outgoing_);
  if (send.level == Level::initial) {
    first_hello_sent_ = true;
    writer_.set_legacy_version(kLegacyVersion);
    if (!is_client) {
      // RFC 8446 §5, appendix D.4: from the first ClientHello on the client may send one; ours follows our first message.
      reader_.allow_change_cipher_spec(true);
      send_change_cipher_spec();
    }
  }
  return written;
}

Result<void> Stream::on_output(TrafficSecret& secret) {
  auto protection = RecordProtection::create(aead_of(*provider_, secret.cipher_suite),
                                             hash_of(*provider_, secret.cipher_suite), secret.secret);
  if (!protection) return std::unexpected(protection.error());
  if (secret.direction == Direction::read) return on_read_secret(secret, std::move(*protection));
  // RFC 8446 appendix D.4: with early data, at once after the first ClientHello.
  if (secret.level == Level::early_data) send_change_cipher_spec();
  writer_.set_protection(std::move(*protection));
  write_level_ = secret.level;
  return {};
}

Result<void> Stream::on_read_secret(const TrafficSecret& secret, RecordProtection protection) {
  if (read_level_ == Level::application && ++key_updates_in_a_row_ > kKeyUpdatesInARowMax) {
    return abort_with(Alert::unexpected_message, "key updates without data");
  }
  read_level_ = secret.level;
  reader_.allow_plaintext_alert(secret.level == Level::handshake && session_->side() == Side::server);
  return reader_.set_protection(std::move(protection));
}

Result<void> Stream::on_output(PeerTransportParameters&) { return {}; }

Result<void> Stream::on_output(EarlyDataDecision& decision) {
  early_data_accepted_ = decision.accepted;
  if (session_->side() == Side::server) {
    const size_t skipped_max = std::max(early_data_size_max_, kEarlyDataSkippedMin);
    if (!decision.accepted) reader_.skip_early_data(static_cast<uint32_t>(skipped_max));
  } else if (decision.accepted) {
    release(early_data_);
  }
  return {};
}

Result<void> Stream::on_output(HandshakeComplete&) {
  complete_ = true;
  reader_.allow_change_cipher_spec(false);
  return {};
}

Result<void> Stream::on_output(TicketReceived& received) {
  tickets_.push_back(std::move(received.ticket));  // a session gives at most kTicketsKeptMax
  return {};
}

std::optional<ClientTicket> Stream::take_ticket() {
  if (tickets_.empty()) return std::nullopt;
  std::optional<ClientTicket> first = std::move(tickets_.front());
  tickets_.pop_front();
  return first;
}

// What goes out

void Stream::sent(size_t size) { drop_front(outgoing_, outgoing_begin_, size); }

Result<void> Stream::write(Bytes data) {
  if (failure_) return std::unexpected(*failure_);
  if (!is_writable()) return usage_error("nothing can be written now");
  if (auto written = write_records(data); !written) return fail(written.error());
  return {};
}

Result<void> Stream::write_records(Bytes data) {
  while (!data.empty()) {
    size_t size = data.size();
    // RFC 8446 §5.5: a new key before the old one has protected too much; before completion there is none to be had.
    if (complete_) {
      if (writer_.records_written() >= options_.records_per_key) {
        if (auto updated = session_->update_keys(false); !updated) return updated;
        if (auto drained = drain(); !drained) return drained;
      }
      const uint64_t records = std::max<uint64_t>(1, options_.records_per_key - writer_.records_written());
      size = std::min<uint64_t>(size, std::min(records, uint64_t{1} << 32) * kRecordContentSizeMax);
    }
    if (auto written = writer_.write(ContentType::application_data, data.first(size), outgoing_); !written) {
      return written;
    }
    data = data.subspan(size);
  }
  return {};
}

size_t Stream::early_data_room() const {
  const bool undecided = write_level_ == Level::early_data && !early_data_accepted_ && !write_closed_ && !failure_;
  return undecided ? early_data_size_max_ - early_data_size_ : 0;
}

Result<void> Stream::write_early_data(Bytes data) {
  if (failure_) return std::unexpected(*failure_);
  if (data.size() > early_data_room()) return usage_error("more early data than there is room for");
  early_data_size_ += data.size();
  early_data_.insert(early_data_.end(), data.begin(), data.end());
  if (auto written = writer_.write(ContentType::application_data, data, outgoing_); !written) {
    return fail(written.error());
  }
  return {};
}

std::vector<uint8_t> Stream::take_rejected_early_data() {
  return early_data_accepted_ == false ? std::exchange(early_data_, {}) : std::vector<uint8_t>();
}

void Stream::send_change_cipher_spec() {
  if (!compatibility_mode_ || std::exchange(change_cipher_spec_sent_, true)) return;
  RecordWriter::write_change_cipher_spec(outgoing_);
}

void Stream::close() {
  if (failure_ || write_closed_) return;
  if (!complete_) send_alert(Alert::user_canceled);
  send_alert(Alert::close_notify);
  write_closed_ = true;
}

void Stream::send_alert(Alert alert) {
  const uint8_t level = is_closure(alert) ? 1 : 2;  // warning, fatal (RFC 8446 §6)
  const uint8_t content[] = {level, static_cast<uint8_t>(alert)};
  // Where the key has reached its limit, an alert cannot be sent either.
  (void)writer_.write(ContentType::alert, content, outgoing_);
}

std::unexpected<Error> Stream::fail(const Error& error) {
  if (!peer_alert_ && !write_closed_) send_alert(alert_of(error));
  end(error);
  return std::unexpected(error);
}

/// RFC 8446 §6: the keys of a failed connection are forgotten.
void Stream::end(const Error& error) {
  failure_ = error;
  negotiated_ = without_certificates(session_->negotiated());
  session_.reset();
  reader_ = {};
  writer_ = {};
}

// The connection

Result<void> Stream::export_keying_material(std::string_view label, Bytes context, MutBytes out) const {
  if (!session_) return usage_error("the stream has failed");
  return session_->export_keying_material(label, context, out);
}

Result<void> Stream::send_ticket(UnixTime now) {
  if (!session_) return usage_error("the stream has failed");
  if (auto sent = session_->send_ticket(now); !sent) return sent;
  return drain();
}

Result<void> Stream::update_keys(bool request_peer) {
  if (!session_) return usage_error("the stream has failed");
  if (auto updated = session_->update_keys(request_peer); !updated) return updated;
  return drain();
}

void Stream::confirm() {
  if (session_) session_->confirm();
}

}  // namespace quoll::tls

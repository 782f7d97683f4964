// Handshake messages (RFC 8446 §4) as plain structs of views: parse_* reads a message's body, write_* writes a whole
// message with its header. One codec for both roles and for tests: what is parsed can be written again, and the tests'
// misbehaving peer writes with the same functions.
//
// parse_* checks syntax only: lengths, emptiness, duplicates, that pre_shared_key is last; and that no extension is
// known but forbidden in this message (RFC 8446 §4.2's table: illegal_parameter). Whether a value is acceptable, and
// whether an extension was offered, is the handshake's business. Views live as long as the body that was parsed.
// Nothing is allocated. Hellos of TLS 1.2 parse, so that they can be answered with protocol_version: they may lack
// extensions, and a ServerHello without supported_versions may have any (those that RFC 8446 does not know there are
// not read, so look at the version first).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/check.h"
#include "base/reader.h"
#include "base/result.h"
#include "base/writer.h"
#include "tls/codepoints.h"

namespace quoll::tls {

inline constexpr size_t kHandshakeHeaderSize = 4;
inline constexpr size_t kRandomSize = 32;
using Random = std::array<uint8_t, kRandomSize>;

/// ServerHello.random of a HelloRetryRequest (RFC 8446 §4.1.3).
extern const Random kHelloRetryRequestRandom;

/// A list of 16-bit code points as it stands on the wire (whole pairs), seen as values of Code.
template <class Code>
class CodeList {
 public:
  CodeList() = default;
  /// `raw`: an even number of bytes, most significant first.
  explicit CodeList(Bytes raw) : raw_(raw) {}
  size_t size() const { return raw_.size() / 2; }
  bool empty() const { return raw_.empty(); }
  Code operator[](size_t i) const { return static_cast<Code>(load_be<uint16_t>(raw_.data() + 2 * i)); }
  bool contains(Code code) const {
    for (size_t i = 0; i < size(); i++) {
      if ((*this)[i] == code) return true;
    }
    return false;
  }
  Bytes raw() const { return raw_; }

 private:
  Bytes raw_;
};

/// One KeyShareEntry (RFC 8446 §4.2.8).
struct KeyShareEntry {
  NamedGroup group{};
  Bytes key_exchange{};
};

/// A KeyShareClientHello.client_shares as on the wire, already known to be well-formed.
class KeyShareList {
 public:
  KeyShareList() = default;
  explicit KeyShareList(Bytes raw) : raw_(raw) {}
  /// The share of a group; empty if there is none.
  std::optional<Bytes> find(NamedGroup group) const;
  /// Takes the first entry off; empty at the end.
  std::optional<KeyShareEntry> next();
  bool empty() const { return raw_.empty(); }
  Bytes raw() const { return raw_; }

 private:
  Bytes raw_;
};

/// A list of strings with one-byte lengths, none empty: ProtocolNameList (RFC 7301 §3.1), already well-formed.
class ProtocolNameList {
 public:
  ProtocolNameList() = default;
  explicit ProtocolNameList(Bytes raw) : raw_(raw) {}
  std::optional<Bytes> next();
  bool contains(Bytes name) const;
  Bytes raw() const { return raw_; }

 private:
  Bytes raw_;
};

/// OfferedPsks (RFC 8446 §4.2.11), as on the wire, already well-formed; as many binders as identities, at least one.
struct PskOffer {
  struct Identity {
    Bytes identity;
    uint32_t obfuscated_ticket_age = 0;
  };
  Bytes identities{};         // contents of the list
  Bytes binders{};            // contents of the list
  size_t binders_offset = 0;  // of the length of the binders' list, within the message's body
  size_t count = 0;
  Identity identity(size_t index) const;
  Bytes binder(size_t index) const;
};

/// An extension that the structs below have no member for (or a deliberate one of a test).
struct RawExtension {
  ExtensionType type{};
  Bytes data{};
};

struct ClientHello {
  uint16_t legacy_version = kLegacyVersion;
  Random random{};
  Bytes legacy_session_id;  // at most 32 bytes
  CodeList<CipherSuite> cipher_suites;
  Bytes legacy_compression_methods;

  std::optional<Bytes> server_name;  // the one host_name; empty Bytes is not possible
  bool status_request = false;       // asks for OCSP
  std::optional<CodeList<NamedGroup>> supported_groups;
  std::optional<CodeList<SignatureScheme>> signature_algorithms;
  std::optional<CodeList<SignatureScheme>> signature_algorithms_cert;
  std::optional<ProtocolNameList> application_protocols;
  std::optional<CodeList<uint16_t>> supported_versions;
  std::optional<Bytes> cookie;
  std::optional<Bytes> psk_key_exchange_modes;  // one byte each
  bool early_data = false;
  bool post_handshake_auth = false;
  std::optional<Bytes> certificate_authorities;  // contents of the list of DistinguishedName
  std::optional<KeyShareList> key_shares;
  std::optional<Bytes> quic_transport_parameters;
  std::optional<PskOffer> pre_shared_key;

  Bytes extensions;            // when parsed: contents of the whole block, known and unknown
  bool has_extensions = true;  // false: the message ends after the compression methods (before TLS 1.3)
};

struct ServerHello {  // or HelloRetryRequest
  uint16_t legacy_version = kLegacyVersion;
  Random random{};
  Bytes legacy_session_id_echo;
  CipherSuite cipher_suite{};
  uint8_t legacy_compression_method = 0;

  std::optional<uint16_t> supported_version;
  std::optional<KeyShareEntry> key_share;    // of a ServerHello
  std::optional<NamedGroup> selected_group;  // of a HelloRetryRequest
  std::optional<uint16_t> pre_shared_key;    // selected identity
  std::optional<Bytes> cookie;               // of a HelloRetryRequest
  bool has_unknown_extension = false;        // one that no ServerHello or HelloRetryRequest can answer
  Bytes extensions;
  bool has_extensions = true;  // false: the message ends after the compression method (before TLS 1.3)

  bool is_hello_retry_request() const { return random == kHelloRetryRequestRandom; }
};

struct EncryptedExtensions {
  bool server_name = false;
  std::optional<CodeList<NamedGroup>> supported_groups;
  std::optional<Bytes> application_protocol;  // exactly one
  bool early_data = false;
  std::optional<Bytes> quic_transport_parameters;
  bool has_unknown_extension = false;
  Bytes extensions;
};

struct CertificateRequest {
  Bytes context;
  std::optional<CodeList<SignatureScheme>> signature_algorithms;
  std::optional<CodeList<SignatureScheme>> signature_algorithms_cert;
  std::optional<Bytes> certificate_authorities;
  bool status_request = false;
  Bytes extensions;
};

struct CertificateEntry {
  Bytes certificate{};                   // DER, not empty
  std::optional<Bytes> ocsp_response{};  // status_request
  bool has_unknown_extension = false;
};

struct CertificateMessage {
  Bytes context;
  Bytes entries;  // contents of certificate_list, already well-formed
  size_t count = 0;
  /// Takes the first entry off; empty at the end.
  std::optional<CertificateEntry> next();
};

struct CertificateVerify {
  SignatureScheme scheme{};
  Bytes signature{};
};

struct NewSessionTicket {
  uint32_t lifetime_seconds = 0;
  uint32_t age_add = 0;
  Bytes nonce{};
  Bytes ticket{};  // not empty
  std::optional<uint32_t> max_early_data_size{};
  Bytes extensions{};
};

// Bodies, without the header. Errors are alerts (ErrorDomain::tls).
[[nodiscard]] Result<ClientHello> parse_client_hello(Bytes body);
[[nodiscard]] Result<ServerHello> parse_server_hello(Bytes body);
[[nodiscard]] Result<EncryptedExtensions> parse_encrypted_extensions(Bytes body);
[[nodiscard]] Result<CertificateRequest> parse_certificate_request(Bytes body);
[[nodiscard]] Result<CertificateMessage> parse_certificate(Bytes body);
[[nodiscard]] Result<CertificateVerify> parse_certificate_verify(Bytes body);
[[nodiscard]] Result<NewSessionTicket> parse_new_session_ticket(Bytes body);
/// True: the peer requests an update as well.
[[nodiscard]] Result<bool> parse_key_update(Bytes body);

// Whole messages, header included. `extra` follows the message's own extensions (before pre_shared_key, which is always
// last). Extensions are written in the order of the struct's members.
template <Sink S>
void write_client_hello(S& sink, const ClientHello& hello, std::span<const RawExtension> extra = {});
template <Sink S>
void write_server_hello(S& sink, const ServerHello& hello, std::span<const RawExtension> extra = {});
template <Sink S>
void write_encrypted_extensions(S& sink, const EncryptedExtensions& message, std::span<const RawExtension> extra = {});
template <Sink S>
void write_certificate_request(S& sink, const CertificateRequest& message, std::span<const RawExtension> extra = {});
template <Sink S>
void write_certificate(S& sink, Bytes context, std::span<const CertificateEntry> entries);
template <Sink S>
void write_certificate_verify(S& sink, const CertificateVerify& message);
template <Sink S>
void write_finished(S& sink, Bytes verify_data);
template <Sink S>
void write_new_session_ticket(S& sink, const NewSessionTicket& message, std::span<const RawExtension> extra = {});
template <Sink S>
void write_key_update(S& sink, bool request_update);
template <Sink S>
void write_end_of_early_data(S& sink);

/// Runs a write_* function twice, with a Counter and with a Writer, and appends the message to `out`. Returns where in
/// `out` it begins. CHECKs that what was written fits what was counted.
template <class Container, class WriteFunction>
size_t append_message(Container& out, WriteFunction write) {
  Counter counter;
  write(counter);
  QUOLL_CHECK(counter.ok());  // a part that is longer than its length prefix can say
  const size_t begin = out.size();
  out.resize(begin + counter.size());
  Writer writer(MutBytes(out).subspan(begin));
  write(writer);
  QUOLL_CHECK(writer.ok() && writer.size() == counter.size());
  return begin;
}

}  // namespace quoll::tls

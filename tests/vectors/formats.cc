#include "tests/vectors/families.h"

namespace quoll::vectors {

Handler handler_for(const json& file) {
  using Recogniser = Handler (*)(const json&);
  constexpr Recogniser recognisers[] = {
      varint_handler,
      aead_handler,
      block_ciphers_handler,
      hash_handler,
      curves25519_handler,
      nist_curves_handler,
      rsa_handler,
      mlkem_handler,
      tls_handler,
      x509_handler,
      tls_messages_handler,
      tls_trace_handler,
      quic_wire_handler,
      quic_protection_handler,
      http3_registry_handler,
      qpack_handler,
  };
  if (file.is_array()) return structured_fields_handler(file);
  for (const Recogniser recognise : recognisers) {
    if (const Handler handler = recognise(file)) return handler;
  }
  return nullptr;
}

}  // namespace quoll::vectors

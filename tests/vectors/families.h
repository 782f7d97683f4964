// One function for each family of primitives: the handler of a file that is the family's, else null. A file is known by
// its content (Wycheproof: schema and algorithm; known answers: the members of a case), never by its name.
#pragma once

#include <filesystem>

#include "tests/vectors/report.h"

namespace quoll::vectors {

Handler aead_handler(const json& file);
Handler block_ciphers_handler(const json& file);
Handler hash_handler(const json& file);
Handler curves25519_handler(const json& file);
Handler nist_curves_handler(const json& file);
Handler rsa_handler(const json& file);
Handler mlkem_handler(const json& file);
Handler tls_handler(const json& file);
Handler x509_handler(const json& file);
Handler tls_messages_handler(const json& file);
Handler tls_trace_handler(const json& file);
Handler varint_handler(const json& file);
Handler quic_wire_handler(const json& file);
Handler quic_protection_handler(const json& file);
Handler structured_fields_handler(const json& file);
Handler http3_registry_handler(const json& file);
Handler qpack_handler(const json& file);

// Captures are no JSON; they are known by the ends of their names.
bool is_capture(const std::filesystem::path& path);
/// Whether a file is read along with the capture beside it.
bool belongs_to_capture(const std::filesystem::path& path);
void run_capture(const std::filesystem::path& path, Report& report);
/// The list of the captures in a folder.
bool is_capture_index(const json& file);
void run_capture_index(const std::filesystem::path& path, const json& file, Report& report);

// Header lists, and what QPACK encoders made of them, are known by the ends of their names too.
bool is_qpack_file(const std::filesystem::path& path);
void run_qpack_file(const std::filesystem::path& path, Report& report);
/// The list of those in a folder.
bool is_qpack_index(const json& file);
void run_qpack_index(const std::filesystem::path& path, const json& file, Report& report);

}  // namespace quoll::vectors

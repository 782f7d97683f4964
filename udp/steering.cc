#include "udp/steering.h"

#include "udp/system_calls.h"

#if defined(__linux__) && !defined(QUOLL_UDP_PORTABLE)

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "base/bytes.h"
#include "udp/bpf_assembler.h"

namespace quoll::udp {

namespace {

using enum BpfAssembler::Register;

// v0 to v3 of SipHash in r1 to r4; r5 is scratch.
constexpr BpfAssembler::Register kV0 = r1, kV1 = r2, kV2 = r3, kV3 = r4, kScratch = r5;

void sip_rounds(BpfAssembler& code, int count) {
  for (int i = 0; i < count; i++) {
    code.add(kV0, kV1);
    code.rotate_left(kV1, 13, kScratch);
    code.exclusive_or(kV1, kV0);
    code.rotate_left(kV0, 32, kScratch);
    code.add(kV2, kV3);
    code.rotate_left(kV3, 16, kScratch);
    code.exclusive_or(kV3, kV2);
    code.add(kV0, kV3);
    code.rotate_left(kV3, 21, kScratch);
    code.exclusive_or(kV3, kV0);
    code.add(kV2, kV1);
    code.rotate_left(kV1, 17, kScratch);
    code.exclusive_or(kV1, kV2);
    code.rotate_left(kV2, 32, kScratch);
  }
}

/// r0 = SipHash-2-4 of the eight bytes in r8, which is overwritten.
void sip_hash(BpfAssembler& code, const SteeringKey& key) {
  const uint64_t k0 = load_le<uint64_t>(key.data()), k1 = load_le<uint64_t>(key.data() + 8);
  code.load_constant(kV0, k0 ^ 0x736f6d6570736575);
  code.load_constant(kV1, k1 ^ 0x646f72616e646f6d);
  code.load_constant(kV2, k0 ^ 0x6c7967656e657261);
  code.load_constant(kV3, k1 ^ 0x7465646279746573);
  for (int block = 0; block < 2; block++) {
    if (block == 1) code.load_constant(r8, uint64_t{8} << 56);  // the message's size
    code.exclusive_or(kV3, r8);
    sip_rounds(code, 2);
    code.exclusive_or(kV0, r8);
  }
  code.exclusive_or(kV2, 0xff);
  sip_rounds(code, 4);
  code.move(r0, kV0);
  for (const auto v : {kV1, kV2, kV3}) code.exclusive_or(r0, v);
}

/// Gives the number of a socket, or one that none has: then the kernel's hash decides.
BpfAssembler steering_program(const SteeringKey& key, uint16_t server) {
  constexpr int kLongHeaderId = 6, kShortHeaderId = 1;  // RFC 8999 §5.1, §5.2: where the id begins
  BpfAssembler code;
  BpfAssembler::Label by_hash, long_header, read_id;
  code.move(r6, r1);
  code.load_field(r2, r6, 0);  // the size of the datagram
  code.jump_if_less(r2, kLongHeaderId + int{kSteeredIdSize}, by_hash);
  code.load_octet(0);
  code.jump_if_any_bit(r0, 0x80, long_header);
  code.move(r7, kShortHeaderId);
  code.jump(read_id);
  code.set(long_header);
  code.load_octet(kLongHeaderId - 1);
  code.jump_if_not(r0, int{kSteeredIdSize}, by_hash);
  code.move(r7, kLongHeaderId);
  code.set(read_id);
  code.load_word(r7, 8);
  code.move(r9, r0);
  code.load_word(r7, 0);
  code.move(r8, r0);
  code.shift_left(r8, 32);
  code.load_word(r7, 4);
  code.inclusive_or(r8, r0);
  sip_hash(code, key);
  code.exclusive_or(r0, r9);
  code.exclusive_or(r0, int{server});  // leaves no bit of it where it is ours
  code.truncate(r0);
  code.jump_if_any_bit(r0, 0xffff, by_hash);
  code.shift_right(r0, 16);
  code.exit();
  code.set(by_hash);
  code.move(r0, -1);
  code.exit();
  return code;
}

std::unexpected<Error> failed(const char* call) {
  return std::unexpected(Error{.domain = ErrorDomain::system, .code = static_cast<uint64_t>(errno), .reason = call});
}

}  // namespace

Result<void> steer(std::span<const Socket> sockets, const SteeringKey& key, uint16_t server) {
  if (sockets.empty()) return usage_error("no sockets to steer between");
  const BpfAssembler program = steering_program(key, server);
  bpf_attr attributes{};
  attributes.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  attributes.insns = reinterpret_cast<uintptr_t>(program.code().data());
  attributes.insn_cnt = static_cast<uint32_t>(program.code().size());
  attributes.license = reinterpret_cast<uintptr_t>("");
  const int fd = static_cast<int>(syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes));
  if (fd < 0) return failed("bpf(BPF_PROG_LOAD)");
  // The group has one program, whichever of its sockets it is set by; it keeps it.
  const int result = setsockopt(sockets[0].fd(), SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &fd, sizeof fd);
  const int error = errno;
  close(fd);
  errno = error;
  if (result != 0) return failed("setsockopt(SO_ATTACH_REUSEPORT_EBPF)");
  return {};
}

}  // namespace quoll::udp

#else

#include <cerrno>

namespace quoll::udp {

Result<void> steer(std::span<const Socket>, const SteeringKey&, uint16_t) {
  return std::unexpected(Error{.domain = ErrorDomain::system, .code = ENOSYS, .reason = "no steering in this system"});
}

}  // namespace quoll::udp

#endif

// BpfAssembler: puts a program for Linux's eBPF machine together, instruction by instruction (the kernel's
// Documentation/bpf/standardization/instruction-set). Only what steering.cc needs.
//
// Jumps go forward to a label that is set later; each label has one place.
#pragma once

#include <linux/bpf.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"

namespace quoll::udp {

class BpfAssembler {
 public:
  enum Register : uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 };
  struct Label {
    std::vector<size_t> jumps;
  };

  // 64-bit arithmetic.
  void move(Register to, Register from) { emit(BPF_ALU64 | BPF_MOV | BPF_X, to, from); }
  void move(Register to, int32_t value) { emit(BPF_ALU64 | BPF_MOV | BPF_K, to, r0, value); }
  void add(Register to, Register from) { emit(BPF_ALU64 | BPF_ADD | BPF_X, to, from); }
  void exclusive_or(Register to, Register from) { emit(BPF_ALU64 | BPF_XOR | BPF_X, to, from); }
  void exclusive_or(Register to, int32_t value) { emit(BPF_ALU64 | BPF_XOR | BPF_K, to, r0, value); }
  void inclusive_or(Register to, Register from) { emit(BPF_ALU64 | BPF_OR | BPF_X, to, from); }
  void bit_and(Register to, int32_t value) { emit(BPF_ALU64 | BPF_AND | BPF_K, to, r0, value); }
  void shift_left(Register to, int32_t bits) { emit(BPF_ALU64 | BPF_LSH | BPF_K, to, r0, bits); }
  void shift_right(Register to, int32_t bits) { emit(BPF_ALU64 | BPF_RSH | BPF_K, to, r0, bits); }
  void rotate_left(Register to, int32_t bits, Register scratch) {
    move(scratch, to);
    shift_left(scratch, bits);
    shift_right(to, 64 - bits);
    inclusive_or(to, scratch);
  }
  /// The low 32 bits, the others zero.
  void truncate(Register to) { emit(BPF_ALU | BPF_MOV | BPF_X, to, to); }
  void load_constant(Register to, uint64_t value) {
    emit(BPF_LD | BPF_IMM | BPF_DW, to, r0, static_cast<int32_t>(static_cast<uint32_t>(value)));
    emit(0, r0, r0, static_cast<int32_t>(static_cast<uint32_t>(value >> 32)));
  }

  /// A 32-bit field of the context.
  void load_field(Register to, Register context, int16_t offset) {
    emit(BPF_LDX | BPF_MEM | BPF_W, to, context, 0, offset);
  }
  // From the packet in network order into r0, by the context in r6; r1 to r5 are lost. Out of bounds ends the program.
  void load_octet(int32_t offset) { emit(BPF_LD | BPF_ABS | BPF_B, r0, r0, offset); }
  void load_word(Register base, int32_t offset) { emit(BPF_LD | BPF_IND | BPF_W, r0, base, offset); }

  void jump(Label& to) { emit_jump(BPF_JA, r0, 0, to); }
  void jump_if_less(Register value, int32_t than, Label& to) { emit_jump(BPF_JLT, value, than, to); }
  void jump_if_not(Register value, int32_t equal, Label& to) { emit_jump(BPF_JNE, value, equal, to); }
  void jump_if_any_bit(Register value, int32_t bits, Label& to) { emit_jump(BPF_JSET, value, bits, to); }
  /// The label's jumps lead to the next instruction.
  void set(Label& label) {
    for (const size_t at : label.jumps) code_[at].off = static_cast<int16_t>(code_.size() - at - 1);
  }
  void exit() { emit(BPF_JMP | BPF_EXIT, r0, r0); }

  const std::vector<bpf_insn>& code() const { return code_; }

 private:
  void emit(int code, Register to, Register from, int32_t immediate = 0, int16_t offset = 0) {
    bpf_insn instruction{};
    instruction.code = static_cast<uint8_t>(code);
    instruction.dst_reg = to & 0xf;
    instruction.src_reg = from & 0xf;
    instruction.off = offset;
    instruction.imm = immediate;
    code_.push_back(instruction);
  }
  void emit_jump(int condition, Register value, int32_t immediate, Label& to) {
    to.jumps.push_back(code_.size());
    emit(BPF_JMP | condition | BPF_K, value, r0, immediate);
  }

  std::vector<bpf_insn> code_;
};

}  // namespace quoll::udp

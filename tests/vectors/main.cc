// vector_runner PATH...: runs every vector file (*.json, captures, *.qif and what encoders made of them) at or below the paths. The last line is "N passed, N failed";
// the exit code is 1 when a case failed, or when a file could not be read or is of no known format; 2 for a wrong call.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <vector>

#include "crypto/cpu.h"
#include "tests/vectors/families.h"

namespace {

namespace fs = std::filesystem;
using namespace quoll;

std::vector<fs::path> vector_files(const fs::path& path) {
  std::vector<fs::path> files;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      const bool documentation = entry.path().extension() == ".md";
      if (!entry.is_regular_file() || documentation || vectors::belongs_to_capture(entry.path())) continue;
      files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(path);
  }
  return files;
}

void run_json(const fs::path& path, vectors::Report& report) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw std::runtime_error("cannot be opened");
  const vectors::json file = vectors::json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (file.is_discarded()) throw std::runtime_error("is no JSON, so of no format that this program knows");
  if (vectors::is_capture_index(file)) return vectors::run_capture_index(path, file, report);
  if (vectors::is_qpack_index(file)) return vectors::run_qpack_index(path, file, report);
  const vectors::Handler handler = file.is_structured() ? vectors::handler_for(file) : nullptr;
  if (!handler) throw std::runtime_error("is of no format that this program knows");
  handler(file, report);
}

/// Runs one file; what went wrong with the file itself is thrown.
void run_file(const fs::path& path, size_t& passed, size_t& failed) {
  vectors::Report report(path.string());
  if (vectors::is_capture(path)) {
    vectors::run_capture(path, report);
  } else if (vectors::is_qpack_file(path)) {
    vectors::run_qpack_file(path, report);
  } else {
    run_json(path, report);
  }
  if (report.passed() + report.failed() + report.differing() == 0) throw std::runtime_error("holds no case");
  std::printf("%s: %zu passed, %zu failed", path.c_str(), report.passed(), report.failed());
  if (report.differing() != 0) std::printf(", %zu differ by policy", report.differing());
  std::printf("\n");
  passed += report.passed();
  failed += report.failed();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: vector_runner PATH...\n");
    return 2;
  }
  if (const char* cap = std::getenv("QUOLL_CPU"); cap && !crypto::cpu::tier_named(cap)) {
    std::fprintf(stderr, "vector_runner: QUOLL_CPU=%s is none of portable, aesni, avx2, avx512\n", cap);
    return 2;
  }
  size_t passed = 0, failed = 0, files = 0;
  bool unreadable = false;
  for (int i = 1; i < argc; i++) {
    try {
      for (const fs::path& path : vector_files(argv[i])) {
        files++;
        try {
          run_file(path, passed, failed);
        } catch (const std::exception& error) {
          std::fprintf(stderr, "%s: %s\n", path.c_str(), error.what());
          unreadable = true;
        }
      }
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s: %s\n", argv[i], error.what());
      unreadable = true;
    }
  }
  if (files == 0) {
    std::fprintf(stderr, "vector_runner: no vector file found\n");
    unreadable = true;
  }
  std::printf("%zu passed, %zu failed\n", passed, failed);
  return failed || unreadable ? 1 : 0;
}

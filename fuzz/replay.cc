// replay_NAME FILE_OR_FOLDER...: runs a fuzz target over its corpus without libFuzzer, so that any compiler can, also
// in CI. A target that finds a fault aborts; the last line on stderr is then the input. Exit code 2 when there is
// nothing to run.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

namespace fs = std::filesystem;

void run(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  const std::vector<uint8_t> input{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::fprintf(stderr, "%s\n", path.c_str());
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

std::vector<fs::path> files_at(const fs::path& path) {
  if (!fs::is_directory(path)) return {path};
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  size_t count = 0;
  try {
    for (int i = 1; i < argc; i++) {
      for (const fs::path& path : files_at(argv[i])) {
        run(path);
        count++;
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "replay: %s\n", error.what());
    return 2;
  }
  std::printf("%zu inputs\n", count);
  return count == 0 ? 2 : 0;
}

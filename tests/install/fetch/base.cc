// What is built of Quoll for this program is what it links.
#include <quoll/base/address.h>
#include <quoll/base/version.h>

#include <cstdio>

int main() {
  std::printf("%s %s\n", quoll::kVersion, quoll::SocketAddress::parse("[::1]:443")->to_string().c_str());
  return 0;
}

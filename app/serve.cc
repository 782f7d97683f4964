// quoll serve. The sockets and HTTP/3 layers that it needs are not built yet; it says so and does nothing else.
#include <cstdio>

#include "app/commands.h"

namespace quoll::app {

int serve(std::span<char* const>) {
  std::printf(
      "quoll serve: there is no server yet. The QUIC transport and what is below it stand; sockets and HTTP/3 come\n"
      "next. `quoll version` shows what this processor will run, `make test` proves it, `make bench` measures it.\n");
  return 0;
}

}  // namespace quoll::app

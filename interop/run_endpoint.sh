#!/bin/bash
# The entry point of the container: the simulator's routes first, then the endpoint, in the simulator's time.
set -eu

# A test case that is not supported is told at once, without a network (exit code 127).
/setup.sh

if [ "${ROLE:-}" = client ]; then
  # The simulator opens this port when its network is up.
  /wait-for-it.sh sim:57832 -s -t 30
fi
exec /quoll-interop

// First flights that are replayed: early data is taken once (RFC 9000 §21.3; RFC 9001 §9.2; RFC 8446 §8).
#include "tests/quic/attacks/attack.h"
#include "tls/anti_replay.h"

#include <doctest/doctest.h>

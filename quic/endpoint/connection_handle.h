// ConnectionHandle: how an application and the endpoint's tables name a connection. It goes stale when the connection is
// forgotten, and never dangles (base/slab.h).
#pragma once

#include "base/slab.h"

namespace quoll::quic {

struct ConnectionSlot;
using ConnectionHandle = Handle<ConnectionSlot>;

}  // namespace quoll::quic

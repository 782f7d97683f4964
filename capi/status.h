// Statuses of the C interface: what an Error becomes, and the line of text that the thread keeps of the last one.
#pragma once

#include "base/result.h"
#include "quoll/quoll.h"

namespace quoll::capi {

/// Keeps the reason, static text, for quoll_last_reason(), and gives the status.
int fail(quoll_status status, const char* reason);
/// The status that fits the Error's domain.
int fail(const Error& error);

inline int invalid(const char* reason) { return fail(QUOLL_E_INVALID, reason); }

}  // namespace quoll::capi

// What stands behind a quoll_identity.
#pragma once

#include <memory>

#include "quoll/quoll.h"
#include "tls/identity.h"

struct quoll_identity {
  std::shared_ptr<const quoll::tls::Identity> identity;
};

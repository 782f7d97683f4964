// From what ended a request to an exit code. Pure.
#pragma once

#include "app/exit_codes.h"
#include "app/server_judge.h"
#include "web/client.h"

namespace quoll::app {

/// `finding`: what the server's certificate was found to be; null: nothing. `sending`: the request was not complete yet.
GetExit exit_for(const web::Failure& failure, const ServerJudge::Finding* finding, bool sending);

}  // namespace quoll::app

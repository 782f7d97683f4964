// quoll_endpoint_config as the configurations of the transport, TLS and HTTP/3.
#pragma once

#include <memory>

#include "h3/session.h"
#include "quic/endpoint/config.h"
#include "quoll/quoll.h"
#include "web/key_log_file.h"

namespace quoll::capi {

struct EndpointSetup {
  bool http3 = false;
  h3::SessionOptions session;
  quic::EndpointConfig endpoint;  // without what depends on the endpoint itself: its wall clock
  std::shared_ptr<const quic::ClientConfig> client;
  std::unique_ptr<web::KeyLogFile> key_log;
};

/// A status; `setup` is filled when it is QUOLL_OK.
int read_config(const quoll_endpoint_config* given, EndpointSetup& setup);

}  // namespace quoll::capi

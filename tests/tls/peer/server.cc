#include "os/system_rng.h"
#include "tests/tls/peer/roles.h"
#include "tests/tls/peer/shared_options.h"

namespace quoll::tls::peer {
namespace {

std::shared_ptr<TicketKeys> ticket_keys(const Arguments& arguments) {
  if (arguments.has("--tickets-file")) {
    auto keys = TicketKeys::from_text(crypto::best(), file_text(arguments.text("--tickets-file")));
    if (!keys) usage_failure(keys.error().reason);
    return *keys;
  }
  if (!arguments.has("--tickets")) return nullptr;
  TicketKeys::Secret secret;
  os::thread_rng().fill(secret);
  return TicketKeys::ratcheted(crypto::best(), secret, {.origin = unix_now()});
}

ClientPolicy client_policy(const Arguments& arguments) {
  ClientPolicy policy;
  if (!arguments.has("--client-ca")) return policy;
  policy.trust = trust_from(arguments.text("--client-ca"));
  policy.authentication =
      arguments.has("--require-client-cert") ? ClientAuthentication::required : ClientAuthentication::optional;
  return policy;
}

std::shared_ptr<const ServerConfig> server_config(const Arguments& arguments, KeyLog* key_log) {
  auto config = std::make_shared<ServerConfig>();
  config->mode = Mode::stream;
  config->preferences = arguments.preferences();
  config->identities = identities_from(arguments);
  config->strict_server_name = arguments.has("--strict-name");
  config->application_protocols = arguments.list("--alpn");
  config->client_policy = client_policy(arguments);
  config->ticket_keys = ticket_keys(arguments);
  config->tickets = arguments.number("--ticket-count", config->tickets);
  if (arguments.has("--early-data")) {
    // This server's tickets are no older than itself, so that nothing before its start could be replayed.
    const StrikeRegister::Options options{.start = unix_now() - Duration::seconds(3600)};
    config->anti_replay = std::make_shared<StrikeRegister>(options, os::thread_rng());
  }
  config->max_early_data_size =
      static_cast<uint32_t>(arguments.number("--max-early-data", config->max_early_data_size));
  if (const auto psk = arguments.external_psk()) {
    const auto known = std::make_shared<const ExternalPsk>(*psk);
    config->find_external_psk = [known](Bytes identity) {
      return as_text(identity) == as_text(known->identity) ? known.get() : nullptr;
    };
  }
  config->hello_retry_cookie = arguments.has("--hrr-cookie");
  config->key_log = key_log;
  return config;
}

void converse(const Arguments& arguments, Connection& connection) {
  Stream& stream = connection.stream();
  if (arguments.has("--key-update") && !stream.update_keys(true)) print("key_update", "refused");
  connection.send(data_to_send(arguments));
  connection.run_until([&] { return stream.is_read_closed() && connection.is_written(); });
  stream.close();
  connection.finish_sending();
}

bool serve_one(const Arguments& arguments, int socket, const std::shared_ptr<const ServerConfig>& config) {
  auto stream = Stream::server(config, {}, os::thread_rng(), stream_options(arguments));
  if (!stream) usage_failure(stream.error().reason);
  Connection connection(socket, std::move(*stream), time_limit(arguments));
  if (!arguments.has("--silent")) {
    connection.on_data([&](Bytes data, bool) { (void)connection.stream().write(data); });
  }
  const bool complete = connection.run_until([&] { return connection.stream().is_complete(); });
  connection.report_negotiated();
  if (complete) {
    report_export(arguments, connection.stream());
    converse(arguments, connection);
  } else {
    connection.finish_sending();
  }
  connection.report_data();
  connection.report_end();
  print("connection", "over");
  return complete && !connection.stream().failure();
}

}  // namespace

int run_server(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            with_shared_options({"--listen", "--count", "--client-ca", "--tickets-file",
                                                 "--ticket-count", "--max-early-data", "--ocsp"}),
                            {"--key-update", "--require-client-cert", "--tickets", "--early-data", "--hrr-cookie",
                             "--strict-name", "--silent"});
  std::unique_ptr<FileKeyLog> key_log;
  if (arguments.has("--keylog")) key_log = std::make_unique<FileKeyLog>(arguments.text("--keylog"));
  const auto config = server_config(arguments, key_log.get());
  const int listener = listen_on(arguments.text("--listen"));
  bool good = true;
  for (uint64_t i = arguments.number("--count", 1); i > 0; i--) {
    good &= serve_one(arguments, accept_from(listener, time_limit(arguments)), config);
  }
  return good ? 0 : 1;
}

}  // namespace quoll::tls::peer

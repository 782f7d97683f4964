#include <cstdio>

#include "os/file.h"
#include "os/system_rng.h"
#include "tests/tls/peer/roles.h"
#include "tests/tls/peer/shared_options.h"

namespace quoll::tls::peer {
namespace {

constexpr size_t kTicketFileSizeMax = 64 * 1024;

std::shared_ptr<const ClientConfig> client_config(const Arguments& arguments, KeyLog* key_log) {
  auto config = std::make_shared<ClientConfig>();
  config->mode = Mode::stream;
  config->preferences = arguments.preferences();
  config->key_shares = arguments.number("--key-shares", config->key_shares);
  config->application_protocols = arguments.list("--alpn");
  config->identities = identities_from(arguments);
  config->key_log = key_log;
  if (arguments.has("--insecure")) config->verification = PeerVerification::none;
  if (arguments.has("--ca")) config->trust = trust_from(arguments.text("--ca"));
  return config;
}

std::optional<ClientTicket> ticket_from(const std::string& path) {
  const auto encoded = os::read_file(path.c_str(), kTicketFileSizeMax);
  if (!encoded) return std::nullopt;
  auto ticket = ClientTicket::decode(*encoded);
  if (!ticket) usage_failure("no ticket: " + path);
  return std::move(*ticket);
}

void keep_ticket(const std::string& path, const ClientTicket& ticket) {
  const std::vector<uint8_t> encoded = ticket.encode();
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (!file || std::fwrite(encoded.data(), 1, encoded.size(), file) != encoded.size()) {
    usage_failure("cannot write " + path);
  }
  std::fclose(file);
}

ClientOptions client_options(const Arguments& arguments) {
  ClientOptions options;
  options.server_name = arguments.text("--name");
  if (arguments.has("--session")) options.ticket = ticket_from(arguments.text("--session"));
  options.early_data = arguments.has("--early-data");
  if (const auto psk = arguments.external_psk()) options.external_psks = {*psk};
  return options;
}

void write_early_data(const Arguments& arguments, Stream& stream) {
  if (!arguments.has("--early-data")) return;
  const std::string text = arguments.text("--early-data");
  const size_t room = stream.early_data_room();
  print("early_data_room", std::to_string(room));
  if (room >= text.size()) (void)stream.write_early_data(as_bytes(text));  // a failure stays in the stream
}

/// Waits for a ticket where one is wanted, and counts those that came.
void take_tickets(const Arguments& arguments, Connection& connection) {
  size_t count = 0;
  const auto take = [&] {
    while (const auto ticket = connection.stream().take_ticket()) {
      count++;
      if (arguments.has("--session")) keep_ticket(arguments.text("--session"), *ticket);
    }
    return count > 0;
  };
  if (arguments.has("--session")) {
    connection.run_until(take);
  } else {
    take();
  }
  print("tickets", std::to_string(count));
}

void converse(const Arguments& arguments, Connection& connection) {
  Stream& stream = connection.stream();
  std::vector<uint8_t> data = stream.take_rejected_early_data();
  if (!data.empty()) print("early_data_resent", std::to_string(data.size()));
  const std::vector<uint8_t> more = data_to_send(arguments);
  data.insert(data.end(), more.begin(), more.end());
  if (arguments.has("--key-update") && !stream.update_keys(true)) print("key_update", "refused");
  const size_t sent_late = data.size();
  connection.send(std::move(data));
  const size_t accepted_early = stream.early_data_accepted() == true ? arguments.text("--early-data").size() : 0;
  const uint64_t expected = arguments.number("--expect-size", sent_late + accepted_early);
  connection.run_until([&] { return connection.received_size() >= expected || stream.is_read_closed(); });
  connection.run_until([&] { return connection.is_written(); });
  take_tickets(arguments, connection);
  stream.close();
  connection.finish_sending();
  connection.run_until([&] { return stream.is_read_closed() || connection.has_ended(); });
}

}  // namespace

int run_client(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            with_shared_options({"--connect", "--name", "--ca", "--key-shares", "--session",
                                                 "--early-data", "--expect-size"}),
                            {"--key-update", "--insecure"});
  std::unique_ptr<FileKeyLog> key_log;
  if (arguments.has("--keylog")) key_log = std::make_unique<FileKeyLog>(arguments.text("--keylog"));
  auto stream = Stream::client(client_config(arguments, key_log.get()), client_options(arguments), os::thread_rng(),
                               unix_now(), stream_options(arguments));
  if (!stream) usage_failure(stream.error().reason);
  write_early_data(arguments, *stream);

  Connection connection(connect_to(arguments.text("--connect")), std::move(*stream), time_limit(arguments));
  const bool complete = connection.run_until([&] { return connection.stream().is_complete(); });
  connection.report_negotiated();
  if (complete) {
    report_export(arguments, connection.stream());
    converse(arguments, connection);
  } else {
    connection.finish_sending();  // the alert
  }
  connection.report_data();
  connection.report_end();
  return complete && !connection.stream().failure() ? 0 : 1;
}

}  // namespace quoll::tls::peer

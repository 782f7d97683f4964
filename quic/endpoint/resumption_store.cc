#include "quic/endpoint/resumption_store.h"

#include <algorithm>
#include <utility>

namespace quoll::quic {

void ResumptionStore::put(std::string_view server_name, ResumptionState state) {
  std::vector<uint8_t> token = std::exchange(state.token, {});
  const bool keeps_ticket = state.ticket && limits_.tickets_per_server != 0;
  const bool keeps_token = !token.empty() && token.size() <= limits_.token_size && limits_.tokens_per_server != 0;
  if (limits_.servers == 0 || (!keeps_ticket && !keeps_token)) return;

  auto server = by_server_.find(server_name);
  if (server == by_server_.end()) {
    if (by_server_.size() == limits_.servers) remove(order_.front());
    server = by_server_.try_emplace(std::string(server_name)).first;
    server->second.place = order_.insert(order_.end(), server);
  } else {
    order_.splice(order_.end(), order_, server->second.place);
  }
  if (keeps_token) {
    std::deque<Token>& tokens = server->second.tokens;
    if (tokens.size() == limits_.tokens_per_server) tokens.pop_front();
    tokens.push_back({.version = state.version, .bytes = std::move(token)});
  }
  if (keeps_ticket) {
    std::deque<ResumptionState>& tickets = server->second.tickets;
    if (tickets.size() == limits_.tickets_per_server) tickets.pop_front();
    tickets.push_back(std::move(state));
  }
}

std::optional<ResumptionState> ResumptionStore::take(std::string_view server_name, UnixTime now) {
  const auto server = by_server_.find(server_name);
  if (server == by_server_.end()) return {};
  std::optional<ResumptionState> taken;
  std::deque<ResumptionState>& tickets = server->second.tickets;
  while (!taken && !tickets.empty()) {
    if (tickets.back().ticket->is_usable(now)) taken = std::move(tickets.back());
    tickets.pop_back();
  }
  std::deque<Token>& tokens = server->second.tokens;
  if (!tokens.empty() && !taken) taken.emplace().version = tokens.back().version;
  const auto token =
      std::find_if(tokens.rbegin(), tokens.rend(), [&](const Token& each) { return each.version == taken->version; });
  if (token != tokens.rend()) {
    taken->token = std::move(token->bytes);
    tokens.erase(std::next(token).base());
  }
  if (tickets.empty() && tokens.empty()) remove(server);
  return taken;
}

std::vector<std::string> ResumptionStore::names() const {
  std::vector<std::string> names;
  for (const Servers::iterator& server : order_) names.push_back(server->first);
  return names;
}

void ResumptionStore::remove(Servers::iterator server) {
  order_.erase(server->second.place);
  by_server_.erase(server);
}

}  // namespace quoll::quic

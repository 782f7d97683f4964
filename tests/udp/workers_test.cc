// Workers with one address on real sockets: whoever receives a datagram, it ends up with the worker that its id names.
#include "udp/worker_group.h"

#include <thread>

#include "quic/path/steered_connection_ids.h"
#include "tests/support/random.h"
#include "tests/udp/quic_peers.h"

#include <doctest/doctest.h>

using namespace quoll;
using namespace quoll::tests;
using quic::SteeredConnectionIds;
using udp::WorkerGroup;
using udp::WorkerGroupOptions;

TEST_SUITE_BEGIN("udp workers");

namespace {

constexpr udp::SteeringKey kKey = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
static_assert(SteeredConnectionIds::kSize == udp::kSteeredIdSize);

udp::WorkerOf worker_of(uint16_t server = 0) {
  return [ids = SteeredConnectionIds(kKey, 0, server)](Bytes datagram) -> std::optional<size_t> {
    return ids.worker_of_datagram(datagram);
  };
}

WorkerGroup bind_group(const WorkerGroupOptions& options, const char* address = "127.0.0.1:0") {
  const SocketAddress addresses[] = {address_of(address)};
  auto group = WorkerGroup::bind(addresses, options);
  if (!group) std::abort();
  return *std::move(group);
}

/// Whether this kernel lets us; then the tests of it say something.
bool may_steer() {
  return bind_group({.workers = 2, .socket = {}, .steering = kKey, .worker_of = {}}).steered_by_kernel();
}

std::vector<uint8_t> packet(Bytes id, bool is_long, size_t size = 100) {
  std::vector<uint8_t> bytes = {0x40};
  if (is_long) bytes = {0xc0, 0, 0, 0, 1, static_cast<uint8_t>(id.size())};
  bytes.insert(bytes.end(), id.begin(), id.end());
  bytes.resize(size);
  return bytes;
}

void collect_inbox(WorkerGroup& group, size_t i, BufferPool& pool, std::vector<Received>& all) {
  Received batch[16];
  while (const size_t count = group.inbox(i).receive(pool, batch)) {
    for (size_t k = 0; k < count; k++) all.push_back(std::move(batch[k]));
  }
}

/// What each worker works on once `datagrams` have arrived at their sockets, and were handed over where they have to be.
std::vector<std::vector<Received>> collect(WorkerGroup& group, BufferPool& pool, size_t datagrams) {
  std::vector<std::vector<Received>> kept(group.workers());
  size_t arrived = 0;
  for (const Instant end = udp::now() + Duration::seconds(2); arrived < datagrams && udp::now() < end;) {
    for (size_t i = 0; i < group.workers(); i++) {
      Received batch[16];
      const size_t count = group.sockets(i)[0].receive(pool, batch);
      for (Received& received : std::span(batch).first(count)) {
        arrived += datagrams_in(received);
        if (group.inbox(i).keep(received)) kept[i].push_back(std::move(received));
      }
    }
  }
  CHECK(arrived == datagrams);
  for (size_t i = 0; i < group.workers(); i++) collect_inbox(group, i, pool, kept[i]);
  return kept;
}

/// Datagrams with ids of every worker, from many ports, as short and long headers: each must come to its worker.
void check_delivery(WorkerGroup& group, const char* reach, const char* from, uint16_t server = 0) {
  SeededRng rng(1);
  const size_t workers = group.workers();
  std::vector<size_t> sent(workers, 0);
  const SocketAddress there = at(reach, group.sockets(0)[0]);
  BufferPool pool(65536, 512);
  for (int port = 0; port < 12; port++) {
    udp::Socket client = bind_socket(from);
    for (size_t worker = 0; worker < workers; worker++) {
      SteeredConnectionIds ids(kKey, static_cast<uint16_t>(worker), server);
      for (const bool is_long : {false, true}) {
        (void)client.send(to(client, there, packet(ids.generate(rng), is_long)));
        sent[worker]++;
      }
    }
  }
  const auto got = collect(group, pool, 12 * 2 * workers);
  const SteeredConnectionIds reader(kKey, 0, server);
  for (size_t i = 0; i < workers; i++) {
    const auto datagrams = datagrams_of(got[i]);
    CHECK(datagrams.size() == sent[i]);
    for (const auto& datagram : datagrams) CHECK(reader.worker_of_datagram(datagram) == i);
    for (const Received& each : got[i]) CHECK(each.path.local == there);
  }
}

}  // namespace

TEST_CASE("the kernel gives datagrams to the worker of their connection id") {
  if (!may_steer()) {
    MESSAGE("not tested: the kernel takes no program from us");
    return;
  }
  for (const auto& [bind, reach, from] :
       {std::array{"127.0.0.1:0", "127.0.0.1", "127.0.0.1:0"}, std::array{"[::]:0", "::1", "[::1]:0"},
        std::array{"[::]:0", "127.0.0.1", "127.0.0.1:0"}}) {
    WorkerGroup group = bind_group({.workers = 5, .socket = {}, .steering = kKey, .worker_of = worker_of()}, bind);
    REQUIRE(group.steered_by_kernel());
    check_delivery(group, reach, from);
    for (size_t i = 0; i < 5; i++) CHECK(group.inbox(i).statistics().handed_over == 0);
  }
  // The program reads the ids of its own server.
  WorkerGroup one_of_many =
      bind_group({.workers = 3, .socket = {}, .steering = kKey, .server = 0xfff7, .worker_of = worker_of(0xfff7)});
  check_delivery(one_of_many, "127.0.0.1", "127.0.0.1:0", 0xfff7);
  for (size_t i = 0; i < 3; i++) CHECK(one_of_many.inbox(i).statistics().handed_over == 0);
}

TEST_CASE("workers hand over what is for others where the kernel does not steer") {
  WorkerGroup group = bind_group({.workers = 5, .socket = {}, .steering = {}, .worker_of = worker_of()});
  REQUIRE_FALSE(group.steered_by_kernel());
  check_delivery(group, "127.0.0.1", "127.0.0.1:0");
  uint64_t handed_over = 0;
  for (size_t i = 0; i < 5; i++) handed_over += group.inbox(i).statistics().handed_over;
  CHECK(handed_over > 0);
}

TEST_CASE("datagrams without an id of ours go by their addresses, all of a client's to one worker") {
  for (const bool steer : {true, false}) {
    WorkerGroup group = bind_group(
        {.workers = 4, .socket = {}, .steering = steer ? std::optional(kKey) : std::nullopt, .worker_of = worker_of()});
    SeededRng rng(9);
    BufferPool pool(65536, 512);
    std::vector<size_t> clients_of(4, 0);
    for (int client = 0; client < 16; client++) {
      udp::Socket socket = bind_socket("127.0.0.1:0");
      for (const size_t id_size : {0, 8, 12, 20}) {
        std::vector<uint8_t> id(id_size);
        rng.fill(id);
        (void)socket.send(to(socket, group.addresses()[0], packet(id, true, 1200)));
        (void)socket.send(to(socket, group.addresses()[0], Bytes(id).first(id_size / 2)));  // too short for anything
      }
      size_t with_some = 0;
      const auto got = collect(group, pool, 8);
      for (size_t i = 0; i < 4; i++) {
        const size_t count = datagrams_of(got[i]).size();
        if (count == 0) continue;
        CHECK(count == 8);
        with_some++;
        clients_of[i]++;
      }
      CHECK(with_some == 1);
    }
    CHECK(std::ranges::count(clients_of, 16) == 0);  // not all with one
  }
}

TEST_CASE("a train for several workers is taken apart, and comes to each as trains") {
  WorkerGroup group = bind_group({.workers = 3, .socket = {}, .steering = {}, .worker_of = worker_of()});
  SeededRng rng(2);
  BufferPool pool(65536, 16);
  std::vector<uint8_t> bytes;
  for (const uint16_t worker : std::initializer_list<uint16_t>{0, 0, 1, 1, 1, 0, 2}) {
    SteeredConnectionIds ids(kKey, worker);
    const auto each = packet(ids.generate(rng), false, worker == 2 ? 60 : 100);
    bytes.insert(bytes.end(), each.begin(), each.end());
  }
  Received train{.path = {.local = group.addresses()[0], .remote = address_of("127.0.0.1:5")},
                 .ecn = Ecn::ce,
                 .data = *pool.take(),
                 .segment_size = 100};
  copy_bytes(train.data.bytes().data(), bytes);
  train.data.truncate(bytes.size());
  CHECK_FALSE(group.inbox(0).keep(train));
  const std::vector<std::vector<size_t>> wanted = {{200, 100}, {300}, {60}};
  for (size_t i = 0; i < 3; i++) {
    std::vector<Received> got;
    collect_inbox(group, i, pool, got);
    REQUIRE(got.size() == wanted[i].size());
    for (size_t k = 0; k < got.size(); k++) {
      CHECK(got[k].data.size() == wanted[i][k]);
      CHECK(got[k].segment_size == (wanted[i][k] > 100 ? 100 : 0));
      CHECK(got[k].path == train.path);
      CHECK(got[k].ecn == Ecn::ce);
    }
  }
}

TEST_CASE("an inbox holds a limited number of trains and bytes, and drops the rest") {
  WorkerGroup group = bind_group({.workers = 2, .socket = {}, .steering = {}, .worker_of = worker_of()});
  udp::WorkerInbox& inbox = group.inbox(1);
  const std::vector<uint8_t> large(60'000), small(100);
  for (size_t i = 0; i < 1000; i++) inbox.hand_over({}, Ecn::not_ect, large, 1200);
  CHECK(inbox.statistics().handed_over == udp::kInboxBytesMax / large.size());
  BufferPool pool(65536, 4);
  size_t received = 0;
  {
    std::vector<Received> held(16);
    CHECK(inbox.receive(pool, held) == 4);  // as many as there are buffers
    CHECK(inbox.receive(pool, std::span(held).subspan(4)) == 0);
    received = 4;
  }
  for (std::vector<Received> held(16); const size_t count = inbox.receive(pool, held);) {
    received += count;
    held = std::vector<Received>(16);
  }
  CHECK(received == inbox.statistics().handed_over);
  for (size_t i = 0; i < 1000; i++) inbox.hand_over({}, Ecn::not_ect, small, 0);
  CHECK(inbox.statistics().handed_over == received + udp::kInboxTrainsMax);
  CHECK(inbox.statistics().dropped == 2000 - received - udp::kInboxTrainsMax);
}

TEST_CASE("groups bind every address with one port for all workers, and tell what stands against it") {
  const SocketAddress addresses[] = {address_of("127.0.0.1:0"), address_of("[::1]:0")};
  auto group = WorkerGroup::bind(addresses, {.workers = 3, .socket = {}, .steering = {}, .worker_of = {}});
  REQUIRE(group);
  for (size_t i = 0; i < 3; i++) {
    REQUIRE(group->sockets(i).size() == 2);
    for (size_t k = 0; k < 2; k++) CHECK(group->sockets(i)[k].local_address() == group->addresses()[k]);
  }
  const SocketAddress taken[] = {bind_socket("127.0.0.1:0").local_address(), address_of("203.0.113.1:4433")};
  const auto refused = WorkerGroup::bind(taken, {.workers = 2, .socket = {}, .steering = {}, .worker_of = {}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().domain == ErrorDomain::system);
  CHECK(refused.error().code == EADDRNOTAVAIL);
  CHECK(std::string(refused.error().reason) == "bind");
  CHECK_FALSE(WorkerGroup::bind({}, {.workers = 2, .socket = {}, .steering = {}, .worker_of = {}}));
}

namespace {

/// A server of three workers and clients that change their port in the middle of a transfer.
void migrate_among_workers(bool steer) {
  WorkerGroup group = bind_group(
      {.workers = 3, .socket = {}, .steering = steer ? std::optional(kKey) : std::nullopt, .worker_of = worker_of()});
  struct Worker {
    Result<udp::Loop> loop = udp::Loop::create();
    std::atomic<CountingServer*> server = nullptr;
    std::thread thread;
  };
  std::array<Worker, 3> workers;
  for (size_t i = 0; i < workers.size(); i++) {
    workers[i].thread = std::thread([&, i] {
      SeededRng rng(10 + i);
      quic::EndpointConfig config = endpoint_config();
      config.server = server_config();
      config.connection_ids = std::make_shared<SteeredConnectionIds>(kKey, static_cast<uint16_t>(i));
      quic::Endpoint endpoint(config, crypto::best(), rng);
      CountingServer server(endpoint, SIZE_MAX);
      workers[i].server = &server;
      workers[i].server.notify_all();
      if (!udp::run(*workers[i].loop, endpoint, group.sockets(i), server, &group.inbox(i))) std::abort();
    });
  }
  for (Worker& worker : workers) worker.server.wait(nullptr);
  for (uint64_t seed = 0; seed < 6; seed++) {
    std::vector<udp::Socket> sockets;
    for (int i = 0; i < 2; i++) sockets.push_back(bind_socket("127.0.0.1:0"));
    SeededRng rng(seed);
    quic::Endpoint endpoint(endpoint_config(), crypto::best(), rng);
    const auto handle = endpoint.connect(udp::now(), client_config(), sockets[0].path_to(group.addresses()[0]),
                                         {.server_name = "example.com"});
    CountedClient client(endpoint, *handle, 6'000'000);
    client.halfway = [&](Instant now, quic::Connection& connection) {
      CHECK(connection.migrate(now, sockets[1].local_address()));
    };
    auto loop = udp::Loop::create();
    REQUIRE(udp::run(*loop, endpoint, std::span(sockets), client));
    CHECK(client.answer == "6000000 right");
    CHECK(client.migrated);
  }
  size_t connected = 0;
  for (Worker& worker : workers) {
    connected += (*worker.server).connected;
    (*worker.server).stop();
    worker.loop->wake();
    worker.thread.join();
  }
  CHECK(connected == 6);
}

}  // namespace

TEST_CASE("connections stay with their worker when clients migrate, by the kernel's steering") {
  if (!may_steer()) {
    MESSAGE("not tested: the kernel takes no program from us");
    return;
  }
  migrate_among_workers(true);
}

TEST_CASE("connections stay with their worker when clients migrate, by handing over") { migrate_among_workers(false); }

TEST_SUITE_END();

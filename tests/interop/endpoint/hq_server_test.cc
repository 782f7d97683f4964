#include "interop/endpoint/hq_server.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include "tests/quic/connection/stage.h"

#include <doctest/doctest.h>

namespace quoll::interop {
namespace {

using quic::FrameType;
using quic::StreamFrame;
using quic::StreamId;
using quic::tests::Data;

/// A server with one file, "x", opposite a client that sends what it is told.
struct Scene {
  Scene() : stage(quic::Role::server) {
    char name[] = "/tmp/hq-server-XXXXXX";
    folder = mkdtemp(name);
    std::FILE* file = std::fopen((folder + "/x").c_str(), "w");
    std::fputs("content", file);
    std::fclose(file);
    REQUIRE(stage.handshake());
    server.emplace(*stage.endpoint, *web::RootFolder::open(folder.c_str()));
    seen = stage.seen();
  }
  ~Scene() {
    unlink((folder + "/x").c_str());
    rmdir(folder.c_str());
  }
  void ask(uint64_t offset, std::string_view text, bool fin) {
    const size_t told = stage.events.size();
    const Data data(text.begin(), text.end());
    stage.send_frames(StreamFrame{.stream_id = StreamId(0), .offset = offset, .data = data, .fin = fin});
    for (size_t i = told; i < stage.events.size(); i++) server->on_event(stage.now, stage.events[i]);
    stage.drain();
  }
  std::string answer() const {
    std::string out;
    for (const auto& frame : stage.all(FrameType::stream, seen)) out.append(frame.bytes.begin(), frame.bytes.end());
    return out;
  }
  bool has(FrameType type) const { return stage.find(type, seen) != nullptr; }

  quic::tests::Stage stage;
  std::string folder;
  std::optional<HqServer> server;
  size_t seen = 0;
};

}  // namespace

TEST_SUITE("interop endpoint: hq server") {
  TEST_CASE("a request in one frame is answered with the file") {
    Scene scene;
    scene.ask(0, "GET /x\r\n", true);
    CHECK(scene.answer() == "content");
    CHECK_FALSE(scene.has(FrameType::reset_stream));
  }

  TEST_CASE("a request may come in pieces, and its end long after its line") {
    Scene scene;
    scene.ask(0, "GET ", false);
    CHECK(scene.answer().empty());
    scene.ask(4, "/x\r\n", false);
    CHECK(scene.answer() == "content");
    scene.ask(8, "", true);
    CHECK_FALSE(scene.has(FrameType::reset_stream));
    CHECK_FALSE(scene.has(FrameType::stop_sending));
  }

  TEST_CASE("a line may end with the stream") {
    Scene scene;
    scene.ask(0, "GET /x", true);
    CHECK(scene.answer() == "content");
  }

  TEST_CASE("what is no request, not there, or has no end is a reset") {
    const auto is_reset = [](std::string_view text, bool fin) {
      Scene scene;
      scene.ask(0, text.substr(0, 1000), fin && text.size() <= 1000);
      for (size_t at = 1000; at < text.size(); at += 1000) scene.ask(at, text.substr(at, 1000), false);
      return scene.has(FrameType::reset_stream) && scene.answer().empty();
    };
    CHECK(is_reset("POST /x\r\n", true));
    CHECK(is_reset("", true));
    CHECK(is_reset("GET /y\r\n", true));
    CHECK(is_reset("GET /../x\r\n", true));
    CHECK(is_reset(std::string(HqServer::kRequestSizeMax + 1000, 'G'), false));
  }
}

}  // namespace quoll::interop

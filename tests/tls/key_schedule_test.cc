// The key schedule (RFC 8446 §7.1) with the values of RFC 8448 §3 and §4. What RFC 8448 does not have (SHA-384, exporters, key
// updates) was computed with Python's hmac.
#include "tls/key_schedule.h"

#include <string>
#include <vector>

#include "base/hex.h"
#include "crypto/provider.h"

#include <doctest/doctest.h>

namespace quoll::tls {
namespace {

using Buffer = std::vector<uint8_t>;

Buffer unhex(std::string_view text) { return from_hex(text).value(); }

const crypto::HashAlgorithm& sha256() { return *crypto::best().sha256; }
const crypto::HashAlgorithm& sha384() { return *crypto::best().sha384; }

TEST_SUITE("key schedule") {
  // RFC 8448 §3.
  TEST_CASE("a full handshake's secrets are those of RFC 8448") {
    const Buffer to_server_hello = unhex("860c06edc07858ee8e78f0e7428c58edd6b43f2ca3e6e95f02ed063cf0e1cad8");
    const Buffer to_server_finished = unhex("9608102a0f1ccc6db6250b7b7e417b1a000eaada3daae4777a7686c9ff83df13");
    const Buffer to_client_finished = unhex("209145a96ee8e2a122ff810047cc952684658d6049e86429426db87c54ad143d");
    for (const crypto::Provider& provider : crypto::all()) {
      KeySchedule schedule(*provider.sha256, {});
      schedule.enter_handshake(unhex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"));
      const Digest client_handshake = schedule.client_handshake_traffic(to_server_hello);
      CHECK(to_hex(client_handshake) == "b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21");
      CHECK(to_hex(schedule.server_handshake_traffic(to_server_hello)) ==
            "b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
      CHECK(to_hex(finished_mac(*provider.sha256, client_handshake, to_server_finished)) ==
            "a8ec436d677634ae525ac1fcebe11a039ec17694fac6e98527b642f2edd5ce61");
      schedule.enter_master();
      CHECK(to_hex(schedule.client_application_traffic(to_server_finished)) ==
            "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
      CHECK(to_hex(schedule.server_application_traffic(to_server_finished)) ==
            "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643");
      CHECK(to_hex(schedule.exporter_master(to_server_finished)) ==
            "fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50");
      const Digest resumption = schedule.resumption_master(to_client_finished);
      CHECK(to_hex(resumption) == "7df235f2031d2a051287d02b0241b0bfdaf86cc856231f2d5aba46c434ec196c");
      CHECK(to_hex(resumption_psk(*provider.sha256, resumption, Buffer{0, 0})) ==
            "4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
    }
  }

  // RFC 8448 §4.
  TEST_CASE("a PSK gives binder key and early secrets") {
    const Buffer psk = unhex("4ecd0eb6ec3b4d87f5d6028f922ca4c5851a277fd41311c9e62d2c9492e1c4f3");
    const KeySchedule schedule(sha256(), psk);
    const Digest binder_key = schedule.binder_key(PskKind::resumption);
    CHECK(to_hex(binder_key) == "69fe131a3bbad5d63c64eebcc30e395b9d8107726a13d074e389dbc8a4e47256");
    CHECK(to_hex(finished_mac(sha256(), binder_key,
                              unhex("63224b2e4573f2d3454ca84b9d009a04f6be9e05711a8396473aefa01e924a14"))) ==
          "3add4fb2d8fdf822a0ca3cf7678ef5e88dae990141c5924d57bb6fa31b9e5f9d");
    CHECK(to_hex(schedule.binder_key(PskKind::external)) ==
          "ce30064fe130ccc35799d808397cadddc95f09730c23b65ff659bb16202f51aa");
    const Buffer hello = unhex("08ad0fa05d7c7233b1775ba2ff9f4c5b8b59276b7f227f13a976245f5d960913");
    CHECK(to_hex(schedule.client_early_traffic(hello)) ==
          "3fbbe6a60deb66c30a32795aba0eff7eaa10105586e7be5c09678d63b6caab62");
    CHECK(to_hex(schedule.early_exporter_master(hello)) ==
          "b2026866610937d7423e5be90862ccf24c0e6091186d34f812089ff5be2ef7df");
  }

  TEST_CASE("the early stage without a PSK starts from zeros") {
    const KeySchedule schedule(sha256(), {});
    CHECK(to_hex(schedule.client_early_traffic(Buffer(32, 0x22))) ==
          "571241c0673f776706fed8e6d4a36a63ccf3312747b3a31ed9153ac7847c9d64");
    // The salts that are stored ready are those that a PSK of zeros gives.
    for (const crypto::HashAlgorithm* hash : {&sha256(), &sha384(), crypto::best().sha512}) {
      KeySchedule ready(*hash, {}), computed(*hash, Buffer(hash->digest_size, 0));
      CHECK(ready.binder_key(PskKind::external) == computed.binder_key(PskKind::external));
      ready.enter_handshake(Buffer(32, 5));
      computed.enter_handshake(Buffer(32, 5));
      CHECK(ready.client_handshake_traffic(Buffer(32, 6)) == computed.client_handshake_traffic(Buffer(32, 6)));
      ready.enter_master();
      computed.enter_master();
      CHECK(ready.exporter_master(Buffer(32, 7)) == computed.exporter_master(Buffer(32, 7)));
    }
  }

  TEST_CASE("SHA-384 has longer secrets") {
    Buffer shared(48);
    for (size_t i = 0; i < shared.size(); i++) shared[i] = static_cast<uint8_t>(i);
    const Buffer transcript(48, 0x11);
    KeySchedule schedule(sha384(), {});
    schedule.enter_handshake(shared);
    CHECK(to_hex(schedule.client_handshake_traffic(transcript)) ==
          "8db02fde1b419fbabca7d96c655fd29339c1546ac34603f99fa9c77026d29ea6417e4b76bfcb2a5797ca649e61649f13");
    schedule.enter_master();
    CHECK(to_hex(schedule.server_application_traffic(transcript)) ==
          "2a121f49df06cb31f678c950518e7673569f0fb35372a4b2138633fd4b79707ab43bcae15b30a720f1bd74ae71ee96a6");
  }

  TEST_CASE("a key update derives the next traffic secret") {
    const Buffer secret = unhex("9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5");
    CHECK(to_hex(next_traffic_secret(sha256(), secret)) ==
          "fcdfcc72725aaee48bf64e4fd8b749cdbdbab39d90da0b26e2245ca6ea167207");
  }

  // RFC 8446 §7.5.
  TEST_CASE("exported keys depend on label, context and length") {
    const Buffer secret = unhex("fe22f881176eda18eb8f44529e6792c50c9a3f89452f68d8ae311b4309d3cf50");
    Buffer out(48), shorter(47);
    REQUIRE(export_keying_material(sha256(), secret, "EXPORTER-test", as_bytes("context"), out));
    CHECK(to_hex(out) ==
          "ecc357a3420394f692896c78a7c968adb8c94c46680cd7c2208579f78abfde6189338c783a98f346be3d1509ac7ec9e1");
    REQUIRE(export_keying_material(sha256(), secret, "EXPORTER-test", as_bytes("context"), shorter));
    CHECK(Buffer(out.begin(), out.end() - 1) != shorter);
    Buffer other(48);
    REQUIRE(export_keying_material(sha256(), secret, "EXPORTER-test", {}, other));
    CHECK(other != out);
  }

  TEST_CASE("lengths that HKDF cannot give are refused") {
    const Buffer secret(32, 1);
    Buffer out(32), largest(255 * 32), too_long(255 * 32 + 1);
    CHECK(export_keying_material(sha256(), secret, std::string(249, 'a'), {}, out));
    CHECK_FALSE(export_keying_material(sha256(), secret, std::string(250, 'a'), {}, out));
    CHECK(export_keying_material(sha256(), secret, "label", {}, largest));
    CHECK_FALSE(export_keying_material(sha256(), secret, "label", {}, too_long));
    CHECK(export_keying_material(sha256(), secret, "label", Buffer(1000), out));  // hashed, so of any length
  }

  TEST_CASE("a ticket's nonce may have 255 bytes") {
    const Buffer secret(32, 1);
    CHECK_FALSE(resumption_psk(sha256(), secret, Buffer(255, 2)) == resumption_psk(sha256(), secret, Buffer(254, 2)));
  }
}

}  // namespace
}  // namespace quoll::tls

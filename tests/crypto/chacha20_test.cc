// ChaCha20, ChaCha20-Poly1305 and ChaCha20 header protection: the vectors of RFC 8439 and RFC 9001, and all
// implementations against the portable ones.
#include "crypto/chacha20.h"

#include <algorithm>
#include <vector>

#include "crypto/aead.h"
#include "crypto/header_protection.h"
#include "crypto/provider.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace quoll::crypto {
namespace {

using tests::SeededRng;
using Buffer = std::vector<uint8_t>;

Buffer unhex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(digit(hex[i]) << 4 | digit(hex[i + 1])));
  }
  return bytes;
}

/// Every entry of the portable and the native list that runs here.
template <class T, class F>
void for_each_runnable(std::span<const T* const> portable_list, std::span<const T* const> native_list, F body) {
  for (const auto list : {portable_list, native_list}) {
    for (const T* entry : list) {
      if (!entry->runs_on(cpu::features(), cpu::cap())) continue;
      CAPTURE(entry->implementation);
      body(*entry);
    }
  }
}

template <class F>
void for_each_cipher(F body) {
  for_each_runnable(portable_chacha20s(), native_chacha20s(), body);
}

template <class F>
void for_each_aead(F body) {
  for_each_runnable(portable_catalogue().aeads, native_catalogue().aeads, [&](const Aead& aead) {
    if (aead.id == AeadId::chacha20_poly1305) body(aead);
  });
}

template <class F>
void for_each_header_protection(F body) {
  for_each_runnable(portable_catalogue().header_protections, native_catalogue().header_protections,
                    [&](const HeaderProtection& table) {
                      if (table.id == HeaderProtectionId::chacha20) body(table);
                    });
}

Buffer apply(const ChaCha20& cipher, Bytes key, uint32_t counter, Bytes nonce, Bytes in) {
  Buffer out(in.size());
  cipher.apply(key.data(), counter, nonce.data(), in, out.data());
  return out;
}

Nonce nonce_of(Bytes bytes) {
  Nonce nonce;
  copy_bytes(nonce.data(), bytes);
  return nonce;
}

struct BlockVector {
  std::string_view source, key;
  uint32_t counter;
  std::string_view nonce, keystream;
};

constexpr BlockVector kBlocks[] = {
    {"§2.3.2", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1, "000000090000004a00000000",
     "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b512"
     "9cd1de164eb9cbd083e8a2503c4e"},
    {"A.1 #1", "0000000000000000000000000000000000000000000000000000000000000000", 0, "000000000000000000000000",
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43"
     "b8f41518a11cc387b669b2ee6586"},
    {"A.1 #2", "0000000000000000000000000000000000000000000000000000000000000000", 1, "000000000000000000000000",
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed"
     "1f28510afb45ace10a1f4b794d6f"},
    {"A.1 #3", "0000000000000000000000000000000000000000000000000000000000000001", 1, "000000000000000000000000",
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e27"
     "3644c8b36125a64addeb006c13a0"},
    {"A.1 #4", "00ff000000000000000000000000000000000000000000000000000000000000", 2, "000000000000000000000000",
     "72d54dfbf12ec44b362692df94137f328fea8da73990265ec1bbbea1ae9af0ca13b25aa26cb4a648cb9b9d1be65b2c0924a6"
     "6c54d545ec1b7374f4872e99f096"},
    {"A.1 #5", "0000000000000000000000000000000000000000000000000000000000000000", 0, "000000000000000000000002",
     "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c78a970e0e955c14f3a88e741b97c286f75f8f"
     "c299e8148362fa198a39531bed6d"},
};

TEST_CASE("the ChaCha20 block function gives the keystream blocks of RFC 8439") {
  for (const BlockVector& v : kBlocks) {
    CAPTURE(v.source);
    const Buffer key = unhex(v.key), nonce = unhex(v.nonce), expected = unhex(v.keystream);
    Buffer block(kChaCha20BlockSize);
    chacha20_block(key.data(), v.counter, nonce.data(), block.data());
    CHECK(block == expected);
    for_each_cipher([&](const ChaCha20& cipher) {
      CHECK(apply(cipher, key, v.counter, nonce, Buffer(kChaCha20BlockSize)) == expected);
    });
  }
}

struct CipherVector {
  std::string_view source, key;
  uint32_t counter;
  std::string_view nonce, plaintext, ciphertext;
};

constexpr CipherVector kCiphers[] = {
    {"§2.4.2", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 1, "000000000000004a00000000",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f75"
     "6c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e7363726565"
     "6e20776f756c642062652069742e",
     "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab8f593dabcd62b3571639"
     "d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e52bc514d16ccf806818ce91ab77937365af90bbf"
     "74a35be6b40b8eedf2785e42874d"},
    {"A.2 #1", "0000000000000000000000000000000000000000000000000000000000000000", 0, "000000000000000000000000",
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000",
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43"
     "b8f41518a11cc387b669b2ee6586"},
    {"A.2 #2", "0000000000000000000000000000000000000000000000000000000000000001", 1, "000000000000000000000002",
     "416e79207375626d697373696f6e20746f20746865204945544620696e74656e6465642062792074686520436f6e74726962"
     "75746f7220666f72207075626c69636174696f6e20617320616c6c206f722070617274206f6620616e204945544620496e74"
     "65726e65742d4472616674206f722052464320616e6420616e792073746174656d656e74206d6164652077697468696e2074"
     "686520636f6e74657874206f6620616e204945544620616374697669747920697320636f6e7369646572656420616e202249"
     "45544620436f6e747269627574696f6e222e20537563682073746174656d656e747320696e636c756465206f72616c207374"
     "6174656d656e747320696e20494554462073657373696f6e732c2061732077656c6c206173207772697474656e20616e6420"
     "656c656374726f6e696320636f6d6d756e69636174696f6e73206d61646520617420616e792074696d65206f7220706c6163"
     "652c207768696368206172652061646472657373656420746f",
     "a3fbf07df3fa2fde4f376ca23e82737041605d9f4f4f57bd8cff2c1d4b7955ec2a97948bd3722915c8f3d337f7d370050e9e"
     "96d647b7c39f56e031ca5eb6250d4042e02785ececfa4b4bb5e8ead0440e20b6e8db09d881a7c6132f420e52795042bdfa77"
     "73d8a9051447b3291ce1411c680465552aa6c405b7764d5e87bea85ad00f8449ed8f72d0d662ab052691ca66424bc86d2df8"
     "0ea41f43abf937d3259dc4b2d0dfb48a6c9139ddd7f76966e928e635553ba76c5c879d7b35d49eb2e62b0871cdac638939e2"
     "5e8a1e0ef9d5280fa8ca328b351c3c765989cbcf3daa8b6ccc3aaf9f3979c92b3720fc88dc95ed84a1be059c6499b9fda236"
     "e7e818b04b0bc39c1e876b193bfe5569753f88128cc08aaa9b63d1a16f80ef2554d7189c411f5869ca52c5b83fa36ff216b9"
     "c1d30062bebcfd2dc5bce0911934fda79a86f6e698ced759c3ff9b6477338f3da4f9cd8514ea9982ccafb341b2384dd902f3"
     "d1ab7ac61dd29c6f21ba5b862f3730e37cfdc4fd806c22f221"},
    {"A.2 #3", "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", 42, "000000000000000000000002",
     "2754776173206272696c6c69672c20616e642074686520736c6974687920746f7665730a446964206779726520616e642067"
     "696d626c6520696e2074686520776162653a0a416c6c206d696d737920776572652074686520626f726f676f7665732c0a41"
     "6e6420746865206d6f6d65207261746873206f757467726162652e",
     "62e6347f95ed87a45ffae7426f27a1df5fb69110044c0d73118effa95b01e5cf166d3df2d721caf9b21e5fb14c616871fd84"
     "c54f9d65b283196c7fe4f60553ebf39c6402c42234e32a356b3e764312a61a5532055716ead6962568f87d3f3f7704c6a8d1"
     "bcd1bf4d50d6154b6da731b187b58dfd728afa36757a797ac188d1"},
};

TEST_CASE("ChaCha20 enciphers the messages of RFC 8439") {
  for (const CipherVector& v : kCiphers) {
    CAPTURE(v.source);
    for_each_cipher([&](const ChaCha20& cipher) {
      CHECK(apply(cipher, unhex(v.key), v.counter, unhex(v.nonce), unhex(v.plaintext)) == unhex(v.ciphertext));
    });
  }
}

TEST_CASE("every ChaCha20 agrees with single portable blocks at every length from 0 to 2100, also in place") {
  const uint64_t seed = tests::test_seed(11);
  CAPTURE(seed);
  SeededRng rng(seed);
  const Buffer key = rng.bytes(kChaCha20KeySize), nonce = rng.bytes(kChaCha20NonceSize), text = rng.bytes(2100);
  const uint32_t counter = 0xfffff000;
  Buffer expected = text;
  for (size_t at = 0; at < text.size(); at++) {
    static uint8_t block[kChaCha20BlockSize];
    if (at % kChaCha20BlockSize == 0) {
      chacha20_block(key.data(), counter + static_cast<uint32_t>(at / kChaCha20BlockSize), nonce.data(), block);
    }
    expected[at] ^= block[at % kChaCha20BlockSize];
  }
  for_each_cipher([&](const ChaCha20& cipher) {
    for (size_t size = 0; size <= text.size(); size++) {
      CAPTURE(size);
      Buffer out(size + 1, 0xa5);
      cipher.apply(key.data(), counter, nonce.data(), Bytes(text).first(size), out.data());
      REQUIRE(std::equal(out.begin(), out.end() - 1, expected.begin()));
      REQUIRE(out.back() == 0xa5);
      if (size % 5 != 0) continue;
      Buffer in_place(text.begin(), text.begin() + static_cast<ptrdiff_t>(size));
      cipher.apply(key.data(), counter, nonce.data(), in_place, in_place.data());
      REQUIRE(std::equal(in_place.begin(), in_place.end(), expected.begin()));
    }
  });
}

struct AeadVector {
  std::string_view source, key, nonce, aad, plaintext, sealed;
};

constexpr AeadVector kAeads[] = {
    {"§2.8.2", "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f75"
     "6c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e7363726565"
     "6e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71"
     "de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def0"
     "8e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"},
    {"A.5", "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0", "000000000102030405060708",
     "f33388860000000000004e91",
     "496e7465726e65742d4472616674732061726520647261667420646f63756d656e74732076616c696420666f722061206d61"
     "78696d756d206f6620736978206d6f6e74687320616e64206d617920626520757064617465642c207265706c616365642c20"
     "6f72206f62736f6c65746564206279206f7468657220646f63756d656e747320617420616e792074696d652e204974206973"
     "20696e617070726f70726961746520746f2075736520496e7465726e65742d447261667473206173207265666572656e6365"
     "206d6174657269616c206f7220746f2063697465207468656d206f74686572207468616e206173202fe2809c776f726b2069"
     "6e2070726f67726573732e2fe2809d",
     "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb24c6cfc18755d43eea09ee94e382d26b0bdb7"
     "b73c321b0100d4f03b7f355894cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c8559797a06e"
     "f4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433"
     "225ee282a1b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a0bb2316053fa7699"
     "1955ebd63159434ecebb4e466dae5a1073a6727627097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df997b"
     "714d6c6f2c29a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38"},
    {"RFC 9001 A.5", "c6d98ff3441c3fe1b2182094f69caa2ed4b716b65488960a7a984979fb23e1c8", "e0459b3474bdd0e46d417eb0",
     "4200bff4", "01", "655e5cd55c41f69080575d7999c25a5bfb"},
};

TEST_CASE("ChaCha20-Poly1305 seals and opens the messages of RFC 8439 and the packet of RFC 9001") {
  for (const AeadVector& v : kAeads) {
    CAPTURE(v.source);
    for_each_aead([&](const Aead& aead) {
      auto key = AeadKey::create(aead, unhex(v.key));
      REQUIRE(key);
      const Buffer aad = unhex(v.aad), plaintext = unhex(v.plaintext);
      Buffer sealed(plaintext.size() + kAeadTagSize);
      REQUIRE(key->seal(nonce_of(unhex(v.nonce)), aad, plaintext, sealed));
      CHECK(sealed == unhex(v.sealed));
      const auto opened = key->open(nonce_of(unhex(v.nonce)), aad, sealed);
      REQUIRE(opened);
      CHECK(Buffer(opened->begin(), opened->end()) == plaintext);
    });
  }
}

TEST_CASE(
    "ChaCha20-Poly1305 agrees with the portable one at every length from 0 to 2100 and refuses what was changed") {
  const uint64_t seed = tests::test_seed(12);
  CAPTURE(seed);
  for_each_aead([&](const Aead& aead) {
    SeededRng rng(seed);
    const Buffer material = rng.bytes(kChaCha20KeySize), text = rng.bytes(2100), associated = rng.bytes(70);
    AeadKey key = std::move(AeadKey::create(aead, material)).value();
    AeadKey reference = std::move(AeadKey::create(*portable().chacha20_poly1305, material)).value();
    for (size_t size = 0; size <= text.size(); size++) {
      CAPTURE(size);
      const Nonce nonce = nonce_of(rng.bytes(kAeadNonceSize));
      const Bytes aad = Bytes(associated).first(size % 71), plaintext = Bytes(text).first(size);
      Buffer sealed(size + kAeadTagSize), expected(size + kAeadTagSize);
      REQUIRE(key.seal(nonce, aad, plaintext, sealed));
      REQUIRE(reference.seal(nonce, aad, plaintext, expected));
      REQUIRE(sealed == expected);
      Buffer changed = sealed;
      changed[rng.below(changed.size())] ^= static_cast<uint8_t>(1u << rng.below(8));
      REQUIRE(!key.open(nonce, aad, changed));
      REQUIRE(std::all_of(changed.begin(), changed.end() - kAeadTagSize, [](uint8_t byte) { return byte == 0; }));
      REQUIRE(key.open(nonce, aad, sealed));
      REQUIRE(std::equal(plaintext.begin(), plaintext.end(), sealed.begin()));
    }
  });
}

TEST_CASE("ChaCha20-Poly1305 gathers trains of any sizes and pieces, and opens them with the bad ones refused") {
  const uint64_t seed = tests::test_seed(13);
  CAPTURE(seed);
  for_each_aead([&](const Aead& aead) {
    SeededRng rng(seed);
    const Buffer material = rng.bytes(kChaCha20KeySize);
    AeadKey key = std::move(AeadKey::create(aead, material)).value();
    AeadKey reference = std::move(AeadKey::create(*portable().chacha20_poly1305, material)).value();
    for (int round = 0; round < 60; round++) {
      CAPTURE(round);
      const size_t count = 1 + rng.below(20), size_bound = round % 3 == 0 ? 40 : round % 3 == 1 ? 700 : 3000;
      std::vector<Buffer> texts(count), aads(count), outs(count);
      std::vector<std::vector<Bytes>> pieces(count);
      std::vector<SealJob> jobs(count);
      for (size_t i = 0; i < count; i++) {
        texts[i] = rng.bytes(rng.below(size_bound));
        aads[i] = rng.bytes(rng.below(40));
        outs[i].resize(texts[i].size() + kAeadTagSize);
        Bytes rest = texts[i];
        size_t done = 0;
        while (!rest.empty() || pieces[i].empty()) {  // small pieces and large ones, one in four in place
          Bytes piece = rest.first(rng.below(std::min(rest.size(), rng.below(2) ? size_t{20} : size_t{900}) + 1));
          rest = rest.subspan(piece.size());
          if (rng.below(4) == 0) {
            copy_bytes(outs[i].data() + done, piece);
            piece = Bytes(outs[i]).subspan(done, piece.size());
          }
          done += piece.size();
          pieces[i].push_back(piece);
        }
        jobs[i] = {.nonce = nonce_of(rng.bytes(kAeadNonceSize)),
                   .aad = aads[i],
                   .plaintext = pieces[i],
                   .out = outs[i].data()};
      }
      REQUIRE(key.seal(jobs));
      std::vector<OpenJob> open_jobs(count);
      for (size_t i = 0; i < count; i++) {
        Buffer expected(texts[i].size() + kAeadTagSize);
        REQUIRE(reference.seal(jobs[i].nonce, aads[i], texts[i], expected));
        REQUIRE(outs[i] == expected);
        if (i % 4 == 3) outs[i][rng.below(outs[i].size())] ^= 0x20;
        open_jobs[i] = {.nonce = jobs[i].nonce, .aad = aads[i], .data = outs[i]};
      }
      REQUIRE(key.open(open_jobs));
      for (size_t i = 0; i < count; i++) {
        REQUIRE(open_jobs[i].authentic == (i % 4 != 3));
        const Buffer expected = i % 4 == 3 ? Buffer(texts[i].size()) : texts[i];
        REQUIRE(std::equal(expected.begin(), expected.end(), outs[i].begin()));
      }
    }
  });
}

TEST_CASE("the ChaCha20 header protection mask is that of RFC 9001 A.5") {
  for_each_header_protection([](const HeaderProtection& table) {
    const auto key =
        HeaderProtectionKey::create(table, unhex("25a282b9e82f06f21f488917a4fc8f1b73573685608597d0efcb076b0ab7a7a4"));
    REQUIRE(key);
    const Buffer sample = unhex("5e5cd55c41f69080575d7999c25a5bfb");
    const HeaderMask mask = key->mask(std::span<const uint8_t, kSampleSize>(sample));
    CHECK(Buffer(mask.begin(), mask.begin() + 5) == unhex("aefefe7d03"));
  });
}

TEST_CASE("ChaCha20 header protection masks of a batch are the first 16 bytes of each sample's block") {
  for_each_header_protection([](const HeaderProtection& table) {
    SeededRng rng(14);
    const Buffer material = rng.bytes(kChaCha20KeySize);
    const auto key = HeaderProtectionKey::create(table, material);
    REQUIRE(key);
    for (size_t count = 0; count <= 40; count++) {
      const Buffer packets = rng.bytes(count * 21 + kSampleSize);
      std::vector<const uint8_t*> samples(count);
      for (size_t i = 0; i < count; i++) samples[i] = packets.data() + 21 * i;
      std::vector<HeaderMask> masks(count);
      key->masks(samples, masks);
      for (size_t i = 0; i < count; i++) {
        uint8_t block[kChaCha20BlockSize];
        chacha20_block(material.data(), load_le<uint32_t>(samples[i]), samples[i] + 4, block);
        REQUIRE(std::equal(masks[i].begin(), masks[i].end(), block));
      }
    }
  });
}

}  // namespace
}  // namespace quoll::crypto

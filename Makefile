# A thin front for CMake: the names that people and scripts use. Each target installs what a fresh Debian machine lacks for it
# (tools/need). Build trees lie under build/.

CXX      ?= g++
CLANGXX  ?= clang++-19
MAKEFLAGS += --no-print-directory
JOBS     ?= $(shell nproc)
BUILD    := build
SHARED   ?= ../shared
TEST_PACKAGES := cmake pkgconf doctest-dev nlohmann-json3-dev libssl-dev openssl gnutls-bin python3

# $(call configure,TREE,OPTIONS[,COMPILER]): makes or refreshes a build tree. The compiler is fixed when a tree is made.
configure = CXX=$(or $(3),$(CXX)) cmake -S . -B $(BUILD)$(1) $(2) >/dev/null
build     = cmake --build $(BUILD)$(1) --parallel $(JOBS)
ctest     = ctest --test-dir $(BUILD)$(1) --parallel $(JOBS) --output-on-failure

.PHONY: all serve static test check vectors sim cc-lab cc-lab-docs e2e interop interop-quick cc-links bench bench-picture \
        bench-parts install clean docs examples \
        sanitize clang ct cross emulate fuzz style format

all: ## build/quoll and build/libquoll.a
	@tools/need cmake
	@$(call configure,,-DCMAKE_INSTALL_PREFIX=$(PREFIX))
	@$(call build,)

PREFIX ?= /usr/local
install: all
	DESTDIR=$(DESTDIR) cmake --install $(BUILD)

static: ## build/quoll-static: the program without any library, stripped
	@tools/need cmake
	@$(call configure,)
	@$(call build,) --target quoll_static

serve: all
	@$(BUILD)/quoll serve

test: ## every quick test
	@tools/need $(TEST_PACKAGES)
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test)
	@$(call ctest,/test)
	@test -d "$(SHARED)/vectors" || echo "SKIPPED: no published vectors at $(SHARED)/vectors (SHARED=path names them)" >&2

vectors: ## make vectors DIR=path: every vector file below path
	@test -n "$(DIR)" || { echo "make vectors wants DIR=path, a folder of vector files" >&2; exit 2; }
	@tools/need $(TEST_PACKAGES) >/dev/null
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target vector_runner >/dev/null
	@$(BUILD)/test/vector_runner "$(DIR)"

sim: ## make sim SEEDS=N: simulated connections from N seeds
	@tools/need $(TEST_PACKAGES) >/dev/null
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target sim_runner >/dev/null
	@$(BUILD)/test/sim_runner --seeds $(SEEDS) --jobs $(JOBS)
SEEDS ?= 20000

cc-lab: ## make cc-lab CC_LAB="--scenario dsl-10m --cc bbr2": congestion controllers compared, with pictures in build/cc-lab
	@tools/need $(TEST_PACKAGES) python3-venv >/dev/null
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target cc_lab >/dev/null
	@test -d $(BUILD)/cc-lab/venv || python3 -m venv $(BUILD)/cc-lab/venv
	@$(BUILD)/cc-lab/venv/bin/pip install --quiet -r bench/endtoend/requirements.txt
	@$(BUILD)/test/cc_lab --jobs $(JOBS) --json $(BUILD)/cc-lab/results.json $(CC_LAB); code=$$?; \
	  $(BUILD)/cc-lab/venv/bin/python tests/lab/picture $(BUILD)/cc-lab/results.json $(BUILD)/cc-lab && exit $$code

cc-lab-docs: ## the pictures and the table of claims of docs/congestion.md
	@$(MAKE) cc-lab CC_LAB="--scenario rate-steps,equal-4"
	@cp $(BUILD)/cc-lab/rate-steps.svg docs/congestion-steps.svg
	@cp $(BUILD)/cc-lab/equal-4.svg docs/congestion-shares.svg
	@tests/lab/document $(BUILD)/test/cc_lab docs/congestion.md

e2e: ## Quoll's programs with browsers, clients and servers of others, over real sockets
	@tools/need $(TEST_PACKAGES)
	@tools/peers || test "$$CI" != true
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target quoll_program e2e_server
	@tests/e2e/run $(BUILD)/test/quoll $(BUILD)/test/e2e_server $(E2E)

interop: ## make interop INTEROP="--server quoll --client quic-go": the public interop tests, without containers
	@tools/need $(TEST_PACKAGES) tshark iproute2 util-linux
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target quoll_interop quoll_link
	@interop/run --build $(INTEROP)

interop-quick: ## Quoll with itself in every interop test, and with one other implementation
	@tools/need $(TEST_PACKAGES) python3-venv tshark iproute2 util-linux
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target quoll_interop quoll_link
	@interop/quick

cc-links: ## make cc-links CC_LINKS="--link usual --cc bbr2 --repeat 5": congestion control over the emulated link
	@tools/need $(TEST_PACKAGES) iproute2 util-linux
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target quoll_interop quoll_link
	@interop/links --build $(CC_LINKS)

bench: ## make bench BENCH="--quick --stacks quoll": end to end, beside other stacks; figures in build/bench.json
	@tools/need cmake python3 iproute2 util-linux
	@$(call configure,)
	@$(call build,) --target quoll_program quoll_floor
	@bench/endtoend/run --build $(BUILD) --peers $(BUILD)/bench-peers --json $(BUILD)/bench.json $(BENCH)

bench-picture: ## the picture of docs/performance.md from build/bench.json
	@tools/need python3-venv
	@test -d $(BUILD)/bench-picture || python3 -m venv $(BUILD)/bench-picture
	@$(BUILD)/bench-picture/bin/pip install --quiet -r bench/endtoend/requirements.txt
	@$(BUILD)/bench-picture/bin/python bench/endtoend/picture $(BUILD)/bench.json docs/performance.svg

bench-parts: ## tables of parts beside OpenSSL, as ratios of one run
	@tools/need cmake libssl-dev
	@$(call configure,/bench,-DQUOLL_BENCH=ON)
	@$(call build,/bench) --target crypto_bench tls_bench quic_bench udp_bench
	@$(BUILD)/bench/crypto_bench $(BENCH)
	@$(BUILD)/bench/tls_bench $(BENCH)
	@$(BUILD)/bench/quic_bench $(BENCH)
	@$(BUILD)/bench/udp_bench $(BENCH)

examples: ## the programs of examples/, in build/test/examples
	@tools/need $(TEST_PACKAGES) >/dev/null
	@$(call configure,/test,-DQUOLL_TESTS=ON -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/test) --target examples

docs: ## the reference, made from the headers; a warning is an error
	@tools/need doxygen
	@mkdir -p $(BUILD)/docs
	@doxygen docs/Doxyfile
	@echo "$(BUILD)/docs/reference/index.html"

# What `make check` adds to `make test`, each part also a target of its own.
check: test style docs sanitize clang emulate cross

# One tree for sanitize and fuzz: what both want is compiled once.
instrumented = $(call configure,/sanitize,-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 \
  -DCMAKE_CXX_FLAGS=-Werror -DQUOLL_FUZZ=ON -DQUOLL_TESTS=ON -DQUOLL_HEADERS_ALONE=OFF \
  -DQUOLL_SHARED=$(abspath $(SHARED)),$(CLANGXX))

sanitize: ## the quick tests and the fuzz corpora under ASan and UBSan, built by clang without warnings
	@tools/need $(TEST_PACKAGES) clang-19 libclang-rt-19-dev
	@$(instrumented)
	@$(call build,/sanitize)
	@$(call ctest,/sanitize)

clang: ## the quick tests with clang
	@tools/need $(TEST_PACKAGES) clang-19
	@$(call configure,/clang,-DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O1 \
	  -DQUOLL_TESTS=ON -DQUOLL_HEADERS_ALONE=OFF -DCMAKE_CXX_FLAGS=-Werror \
	  -DQUOLL_SHARED=$(abspath $(SHARED)),$(CLANGXX))
	@$(call build,/clang)
	@$(call ctest,/clang)

ct: ## secrets marked as undefined, under valgrind: no branch and no index may depend on them
	@tools/need cmake valgrind
	@$(call configure,/ct,-DQUOLL_CT=ON)
	@$(call build,/ct) --target constant_time
	@tests/ct/run $(BUILD)/ct/constant_time

cross: ## the portable code on big-endian, on 64-bit Arm and on 32-bit Arm
	@tools/need cmake doctest-dev qemu-user g++-s390x-linux-gnu g++-aarch64-linux-gnu g++-arm-linux-gnueabihf
	@tests/cross/run $(BUILD)/cross $(CROSS)
CROSS ?= s390x-linux-gnu aarch64-linux-gnu arm-linux-gnueabihf

emulate: ## the AVX-512, VAES, IFMA and SHA code, emulated where the processor (or valgrind) lacks them
	@tools/need $(TEST_PACKAGES) valgrind
	@$(call configure,/emulate,-DQUOLL_TESTS=ON -DQUOLL_CT=ON -DQUOLL_EMULATE=ON \
	  -DQUOLL_SHARED=$(abspath $(SHARED)))
	@$(call build,/emulate) --target unit_tests vector_runner constant_time
	@$(BUILD)/emulate/unit_tests
	@tests/vectors/run $(BUILD)/emulate/vector_runner $(abspath $(SHARED)) | tail -n 1
	@tests/ct/run $(BUILD)/emulate/constant_time

fuzz: ## every target for FUZZ_SECONDS each
	@tools/need $(TEST_PACKAGES) clang-19 libclang-rt-19-dev
	@$(instrumented)
	@$(call build,/sanitize) --target fuzzers
	@JOBS=$(JOBS) fuzz/run $(BUILD)/sanitize $(FUZZ_SECONDS)
FUZZ_SECONDS ?= 30

style: ## formatting
	@tools/need clang-format-19
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 --dry-run --Werror

format:
	@tools/need clang-format-19
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 -i

clean:
	rm -rf $(BUILD)

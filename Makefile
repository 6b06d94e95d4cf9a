# The daily words. A clean Debian has no make: there, sh scripts/setup.sh comes first.
BUILD ?= release
B := $(if $(filter release,$(BUILD)),build,build-$(BUILD))

type_release := -DCMAKE_BUILD_TYPE=RelWithDebInfo
type_asan := -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDCMPIPE_SANITIZE=address,undefined
type_tsan := -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDCMPIPE_SANITIZE=thread
type_fuzz := -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDCMPIPE_FUZZ=ON -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
launcher := $(if $(shell command -v ccache),-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

.PHONY: all build programs test demo bench bench-deid faults lint format fuzz map-size install clean

all: build

$(B)/build.ninja:
	cmake -G Ninja -S . -B $(B) $(type_$(BUILD)) $(launcher)

build: $(B)/build.ninja
	cmake --build $(B)

programs: $(B)/build.ninja
	cmake --build $(B) --target programs

test: build
	ctest --test-dir $(B) --output-on-failure -j2

demo:
	sh scripts/demo.sh

# Every benchmark in turn, or those named, beside cp and the peers that are installed, and what to hold the figures
# against: make bench PEERS=1 BENCH_SCALE=5 ONLY="anon receive" (tests/bench/figures.py)
bench: build
	sh scripts/setup.sh bench test
	sh scripts/bench.sh $(B) $(ONLY)

# What the test run does in short, in full: kill -9 of the receiver under load, every bad peer of it, and the link map
# under 8 processes with 8 x 1,000 patients and 200 kills. make faults ROUNDS=200
faults: build
	DPIPE_FAULT_ROUNDS=$(or $(ROUNDS),200) DPIPE_BUILD=$(B) PYTHONPATH=tests/support \
	  /usr/bin/python3 -B tests/net/receive_fault_test.py Killed
	DPIPE_FAULTS=long DPIPE_BUILD=$(B) PYTHONPATH=tests/support /usr/bin/python3 -B tests/fault/receiver_test.py
	DPIPE_TEST_PATIENTS=8000 DPIPE_TEST_PROCESSES=8 DPIPE_TEST_KILLS=$(or $(ROUNDS),200) \
	  ctest --test-dir $(B) -R '^cli/map_load$$' --output-on-failure

lint: $(B)/build.ninja
	sh scripts/setup.sh lint
	cmake --build $(B) --target dictionary_tables
	sh scripts/lint.sh $(B)

format:
	git ls-files '*.cpp' '*.hpp' | xargs clang-format -i

# make fuzz SECONDS=300 HARNESS="csv json"
fuzz:
	sh scripts/setup.sh build fuzz
	$(MAKE) BUILD=fuzz build-fuzz/build.ninja
	cmake --build build-fuzz --target fuzzers
	sh scripts/fuzz.sh build-fuzz $(or $(SECONDS),60) $(HARNESS)

# make map-size INSTANCES=10000000: bytes an instance, and how long a look-up takes
map-size: build
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(B)/tests/map-size "$$folder" $(or $(INSTANCES),1000000)

# What de-identifiers leak and lose, ours and those that are installed: docs/benchmark-deid.md.
bench-deid: programs
	DPIPE_BUILD=$(B) PYTHONPATH=tests/support /usr/bin/python3 -B tests/deid/benchmark/bench.py

install: build
	cmake --install $(B)

clean:
	rm -rf build build-*

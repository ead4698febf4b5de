# Two commands do everything on a fresh machine: `make run` and `make test`.

CARGO ?= cargo
# The sanitizers are behind a flag that the stable compiler has too.
FUZZ = RUSTC_BOOTSTRAP=1 $(CARGO) fuzz

.PHONY: help setup live build run demo test test-kernels test-packages test-container image package lint bench bench-stores fuzz fuzz-smoke

help: ## Tells what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## Installs what is missing
	setup/install.sh build test lint fuzz kernels package booted siem container

# Who may not run the sensor here learns it before it is built.
live:
	setup/install.sh live

build: ## Builds target/release/sophoslinuxsensor
	setup/install.sh build
	$(CARGO) build --release -p sensor-agent

run: live build ## Runs the sensor in the foreground, with a self check and a demonstration configuration
	setpriv --pdeathsig TERM setup/demo.sh

demo: live build ## Runs a sensor, Central and sensor-siem together and shows alerts arriving, until Ctrl-C
	$(CARGO) build --release -p sensor-central -p sensor-siem
	setpriv --pdeathsig TERM setup/demo-central.sh

test: ## Passes every test (as root, on a kernel with BTF)
	setup/install.sh live build test
	$(CARGO) test --workspace

test-kernels: ## Boots the sensor on other kernels and prints the matrix (downloads them; some minutes)
	setup/install.sh root build kernels package
	tests/kernels/run

package: ## Builds the packages (deb, rpm) into target/packages
	setup/install.sh build package
	packaging/build

test-packages: ## Installs the packages into booted Debians and looks at what comes of it (some minutes)
	setup/install.sh live build package booted siem
	tests/packages/fresh
	tests/packages/siem
	PROFILE=release tests/packages/run
	PROFILE=release SUITE=bullseye tests/packages/run
	PROFILE=release tests/packages/rpm
	PROFILE=release tests/packages/limits

image: ## Builds the container images
	setup/install.sh build container
	packaging/container/build
	IMAGE=sensor-siem packaging/container/build

test-container: ## Runs the image with the documented capabilities and no more, and checks the Kubernetes manifests
	setup/install.sh live build container
	PROFILE=release tests/packages/container
	PROFILE=release ENGINE=docker tests/packages/container

lint: ## rustfmt, clippy, licences and sources of dependencies
	setup/install.sh build lint
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) fmt --manifest-path fuzz/Cargo.toml --check
	$(CARGO) fmt --manifest-path tests/stores/Cargo.toml --check
	$(CARGO) clippy --manifest-path tests/stores/Cargo.toml --target-dir target -- -D warnings
	$(CARGO) deny --all-features check licenses bans sources

bench: ## Measures; see docs/performance.md
	setup/install.sh live build
	$(CARGO) build --release --workspace --bins
	$(CARGO) bench -p sensor-agent
	$(CARGO) bench -p sensor-tests --bench storm
	$(CARGO) bench -p sensor-tests --bench audit
	$(CARGO) bench -p sensor-tests --bench delivery
	$(CARGO) bench -p sensor-tests --bench siem

bench-stores: ## Compares the stores that the spool could stand on (as root; a quarter of an hour); see docs/delivery.md
	setup/install.sh root build
	cd tests/stores && $(CARGO) run --release --locked

fuzz: ## Fuzzes every reader of what comes from outside, SECONDS each (60)
	setup/install.sh build fuzz
	cd fuzz && for target in $$($(FUZZ) list); do \
		mkdir -p corpus/$$target; \
		$(FUZZ) run $$target corpus/$$target corpora/$$target -- -max_total_time=$(or $(SECONDS),60) -timeout=10 || exit 1; done

fuzz-smoke: ## The same in short, over the kept inputs (fuzz/corpora), SECONDS each (20); only our own crates instrumented; lints the targets
	setup/install.sh build lint smoke
	RUSTC_WRAPPER=$(CURDIR)/fuzz/rustc $(CARGO) build --manifest-path fuzz/Cargo.toml --target-dir target --bins
	fuzz/smoke target/debug $(or $(SECONDS),20)

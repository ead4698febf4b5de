# What is done with the sensor most often. `make` builds it.
CARGO ?= cargo

.PHONY: build run setup test lint bench

## Builds the sensor, kernel programs and all: target/release/sophoslinuxsensor.
build:
	$(CARGO) build --release

## Runs it. ARGS are its arguments. Needs root, or CAP_BPF and CAP_PERFMON.
run: build
	target/release/sophoslinuxsensor $(ARGS)

## Installs what is missing for all this; says what it does.
setup:
	setup/install.sh

## Runs all tests. What needs the kernel's cooperation says so and passes where the rights are missing.
test:
	$(CARGO) test --workspace

## Formatting, lints, licences and sources of dependencies.
lint:
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(CARGO) deny check licenses bans sources

## Measures what the kernel programs cost. Needs root.
bench:
	$(CARGO) bench --bench capture_cost

#!/bin/bash
# Installs what building, testing and checking the sensor takes, as far as it is missing; does nothing where all is there.
#
#   setup/install.sh          install
#   setup/install.sh --check  only tell what is missing; status 1 if anything is
#
# What it may do, each step announced first:
#   * a Rust compiler with the sources of `core`, for the kernel programs: nothing if a rustup nightly has the component
#     rust-src, or if the distribution's compiler has its sources; else Debian's packages rustc-web and rust-web-src
#     (apt-get, needs root)
#   * bpf-linker, cargo-deny, cargo-nextest: `cargo install --locked`, in the versions below, into cargo's own folder
#
# Rust itself (rust-version in Cargo.toml, with clippy and rustfmt) comes from https://rustup.rs or the distribution.
set -euo pipefail

# bpf-linker 0.11 and later want LLVM 23; this one uses the LLVM 22 of the Rust toolchains above.
BPF_LINKER=0.10.3
CARGO_DENY=0.20.2
CARGO_NEXTEST=0.9.151

check=
case "${1:-}" in
'') ;;
--check) check=1 ;;
*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac
missing=0

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# need WHAT COMMAND...: announces and runs a step, or only tells with --check.
need() {
  local what=$1; shift
  missing=1
  if [ -n "$check" ]; then say "missing: $what"; return; fi
  say "installing $what: $*"
  "$@"
}

# sources RUSTC...: whether this compiler has the sources of core beside it.
sources() {
  local root
  root=$("$@" --print sysroot 2>/dev/null) && [ -f "$root/lib/rustlib/src/rust/library/core/src/lib.rs" ]
}

kernel_toolchain() {
  local name
  if command -v rustup >/dev/null; then
    while read -r name _; do
      case $name in nightly*) if sources rustup run "$name" rustc; then return 0; fi ;; esac
    done < <(rustup toolchain list 2>/dev/null)
  fi
  sources /usr/bin/rustc
}

install_packages() {
  command -v apt-get >/dev/null ||
    fail "no apt-get here: type 'rustup toolchain install nightly --component rust-src' instead"
  [ "$(id -u)" = 0 ] || fail "apt-get needs root: run 'sudo $0', or type 'rustup toolchain install nightly --component rust-src'"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends rustc-web rust-web-src
}

# has PROGRAM VERSION: whether it runs and says so.
has() { [[ "$("$@" 2>/dev/null | head -n 1)" == *" $version"* ]]; } # $version: of the caller

crate() {
  local name=$1 version=$2; shift 2
  if ! has "$@"; then need "$name $version" cargo install --locked "$name" --version "$version"; fi
}

command -v cargo >/dev/null || fail "no cargo: install Rust from https://rustup.rs"
PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

kernel_toolchain || need "a Rust compiler with the sources of core" install_packages
[ -n "$check" ] || kernel_toolchain || fail "the packages brought no compiler with the sources of core"
crate bpf-linker "$BPF_LINKER" bpf-linker --version
crate cargo-deny "$CARGO_DENY" cargo-deny --version
crate cargo-nextest "$CARGO_NEXTEST" cargo-nextest --version

if [ "$missing" = 0 ]; then say "all there"; elif [ -z "$check" ]; then say "done"; else exit 1; fi

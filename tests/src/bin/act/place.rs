//! Programs executed in unusual places.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::{Outcome, execute, number, strings};

/// Step by step: the whole path is longer than the kernel takes at once.
pub(super) fn deep(mut words: Vec<OsString>) -> Outcome<Infallible> {
    let depth: usize = number(&words, 1)?;
    let [folder, _, name, ..] = &words[..] else { return Err("a folder, a depth and a name are missing".into()) };
    std::env::set_current_dir(folder)?;
    for _ in 0..depth {
        fs::create_dir(name)?;
        std::env::set_current_dir(name)?;
    }
    execute(&strings(words.split_off(3))?)
}

/// The same with a copy of the program in the deepest folder, run by its name alone.
pub(super) fn deep_program(words: &[OsString]) -> Outcome<Infallible> {
    let depth: usize = number(words, 1)?;
    let [folder, _, name, program, own, ..] = words else {
        return Err("a folder, a depth, a name, a program and a name for its copy are missing".into());
    };
    std::env::set_current_dir(folder)?;
    for _ in 0..depth {
        fs::create_dir(name)?;
        std::env::set_current_dir(name)?;
    }
    fs::copy(program, own)?;
    execute(&strings(vec![Path::new(".").join(own).into_os_string()])?)
}

pub(super) fn chroot(mut words: Vec<OsString>) -> Outcome<Infallible> {
    let folder = words.first().ok_or("a folder is missing")?;
    nix::unistd::chroot(Path::new(folder))?;
    std::env::set_current_dir("/")?;
    execute(&strings(words.split_off(1))?)
}

pub(super) fn cgroup(mut words: Vec<OsString>) -> Outcome<Infallible> {
    let folder = PathBuf::from(words.first().ok_or("a folder is missing")?);
    fs::write(folder.join("cgroup.procs"), std::process::id().to_string())?;
    execute(&strings(words.split_off(1))?)
}

/// In a mount namespace of its own, on a tmpfs: an overlay's upper layer cannot lie on just any file system.
pub(super) fn overlay(words: &[OsString]) -> Outcome {
    let [folder, program, name] = words else { return Err("a folder, a program and a name are missing".into()) };
    let (folder, name) = (Path::new(folder), name.to_str().ok_or("the name is not UTF-8")?);
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)?;
    mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
    let part = |part: &str| folder.join(part);
    for made in ["lower", "upper", "work", "merged"] {
        fs::create_dir(part(made))?;
    }
    fs::copy(program, part("lower").join(format!("{name}-low")))?;
    let layers = format!(
        "lowerdir={},upperdir={},workdir={}",
        part("lower").display(),
        part("upper").display(),
        part("work").display()
    );
    mount(Some("overlay"), &part("merged"), Some("overlay"), MsFlags::empty(), Some(layers.as_str()))?;
    fs::copy(program, part("merged").join(format!("{name}-up")))?;
    for layer in ["low", "up"] {
        let mut child = Command::new(part("merged").join(format!("{name}-{layer}"))).spawn()?;
        child.wait()?;
        println!("{layer} {}", child.id());
    }
    Ok(ExitCode::SUCCESS)
}

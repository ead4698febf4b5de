//! Names of users and hosts, in a program that is linked statically.
//!
//! The C library's name service loads modules (for directory servers, systemd and so on) that were built for the C
//! library of the host. In a static program, which brings its own, that ends in a crash at worst. So a static program
//! keeps to what is built in, and asks the host's own `getent` for users that are not in `/etc/passwd`.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use foldhash::{HashMap, HashMapExt as _};
use nix::unistd::{Uid, User};

/// Keeps a static program to the built-in modules. Called before the first look-up and the first thread.
pub fn keep_to_built_in() {
    #[cfg(all(target_env = "gnu", target_feature = "crt-static"))]
    {
        unsafe extern "C" {
            fn __nss_configure_lookup(database: *const libc::c_char, services: *const libc::c_char) -> libc::c_int;
        }
        for (database, services) in [(c"passwd", c"files"), (c"group", c"files"), (c"hosts", c"files dns")] {
            // SAFETY: both are strings that end in a zero byte and live for ever; there is one thread.
            unsafe { __nss_configure_lookup(database.as_ptr(), services.as_ptr()) };
        }
    }
}

/// What is known of users: their login names, none of those that do not exist. One that nobody can say anything of at the moment is
/// left out. May take as long as a directory server takes.
#[must_use]
pub fn user_names(uids: &[u32]) -> HashMap<u32, Option<String>> {
    if cfg!(all(target_env = "gnu", target_feature = "crt-static")) {
        return ask_host(uids);
    }
    let mut names = HashMap::new();
    for &uid in uids {
        let asked = Instant::now();
        match User::from_uid(Uid::from_raw(uid)) {
            Ok(user) => drop(names.insert(uid, user.map(|user| user.name))),
            // A directory that does not answer would not answer for the others either.
            Err(_) if asked.elapsed() > SLOW => break,
            Err(_) => {}
        }
    }
    names
}

/// From when on the rest is not asked for, once one could not be told.
const SLOW: Duration = Duration::from_secs(1);
/// How long the host's program may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// By the host's own program, which has the host's own modules.
fn ask_host(uids: &[u32]) -> HashMap<u32, Option<String>> {
    let mut names = HashMap::new();
    let Some((output, code)) = getent(uids) else { return names };
    for line in output.lines() {
        let mut parts = line.split(':');
        if let (Some(name), Some(_), Some(Ok(uid))) = (parts.next(), parts.next(), parts.next().map(str::parse))
            && !name.trim().is_empty()
        {
            names.insert(uid, Some(name.trim().to_owned()));
        }
    }
    // getent(1): one of them could not be found.
    if code == Some(2) {
        for &uid in uids {
            names.entry(uid).or_insert(None);
        }
    }
    names
}

/// What `getent passwd` writes and returns. One that does not end is ended.
fn getent(uids: &[u32]) -> Option<(String, Option<i32>)> {
    let mut child = Command::new("getent")
        .arg("passwd")
        .args(uids.iter().map(u32::to_string))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (done, ended) = sync_channel(1);
    let mut stdout = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdout.read_to_end(&mut text);
        let _ = done.send(());
        read.ok().map(|_| text)
    });
    if ended.recv_timeout(PATIENCE).is_err() {
        let _ = child.kill();
    }
    let status = child.wait().ok()?;
    let text = String::from_utf8(reader.join().ok()??).ok()?;
    Some((text, status.code()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_either_way() {
        for names in [user_names(&[0]), ask_host(&[0])] {
            assert_eq!(names.get(&0).unwrap().as_deref(), Some("root"));
        }
    }

    #[test]
    fn who_does_not_exist_is_told_beside_those_who_do() {
        let names = ask_host(&[4_294_967_000, 0]);
        assert_eq!(names.get(&4_294_967_000), Some(&None));
        assert_eq!(names.get(&0).unwrap().as_deref(), Some("root"));
    }
}

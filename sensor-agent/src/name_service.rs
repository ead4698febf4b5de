//! Names of users and hosts, in a program that is linked statically.
//!
//! The C library's name service loads modules (for directory servers, systemd and so on) that were built for the C
//! library of the host. In a static program, which brings its own, that ends in a crash at worst. So a static program
//! keeps to what is built in, and asks the host's own `getent` for users that are not in `/etc/passwd`.

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

/// The login name of a user. May take as long as a directory server takes.
#[must_use]
pub fn user_name(uid: u32) -> Option<String> {
    let known = User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.name);
    if cfg!(all(target_env = "gnu", target_feature = "crt-static")) { known.or_else(|| ask_host(uid)) } else { known }
}

/// By the host's own program, which has the host's own modules.
fn ask_host(uid: u32) -> Option<String> {
    let output = std::process::Command::new("getent")
        .args(["passwd", &uid.to_string()])
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .output()
        .ok()?;
    let line = String::from_utf8(output.stdout).ok()?;
    let name = line.split(':').next()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_known_either_way() {
        assert_eq!(user_name(0).as_deref(), Some("root"));
        assert_eq!(ask_host(0).as_deref(), Some("root"));
        assert_eq!(ask_host(4_294_967_000), None);
    }
}

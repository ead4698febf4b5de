//! Sends a message to the kernel's audit: `tell-audit [WHO] VIA TYPE TEXT`, or `tell-audit [WHO] raw HEX`, or
//! `tell-audit [WHO] then PROGRAM [ARG…] -- VIA TYPE TEXT`, which starts a program afterwards and waits for it.
//!
//! | VIA | the system call |
//! | --- | --- |
//! | `sendto` | with the kernel's address, as libaudit does |
//! | `send`, `write`, `writev` | on a connected socket |
//! | `sendmsg`, `sendmmsg` | the text apart from the header |
//! | `sendto32`, `sendmsg32`, `write32` | as a 32-bit program makes it (`int 0x80`) |
//! | `uring-send`, `uring-sendmsg`, `uring-write` | through io_uring |
//! | `storm COUNT` | `sendto` so often; the text gets a number |
//!
//! | WHO | who sends |
//! | --- | --- |
//! | `unprivileged` | a user without rights |
//! | `opened-unprivileged` | root, on a socket that a user without rights opened |
//! | `user-namespace` | root of a user namespace of its own |
//! | `pid-namespace` | root in a pid namespace of its own |
//! | `session UID` | root in a login session of this user |
//!
//! Prints its pid, then what the kernel answered to each message: 0 or an errno.

mod calls;
mod compat;
mod uring;

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::ExitCode;

use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, socket};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Gid, Uid, fork, seteuid, setgid, setuid};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A user that no system gives rights.
const NOBODY: u32 = 65534;
/// Bytes of a netlink header.
const HEADER: usize = 16;
/// `NLM_F_REQUEST | NLM_F_ACK` of Linux.
const REQUEST: u16 = 5;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tell-audit: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Outcome<ExitCode> {
    match words {
        ["unprivileged", rest @ ..] => {
            setgid(Gid::from_raw(NOBODY))?;
            setuid(Uid::from_raw(NOBODY))?;
            act(&audit_socket()?, rest)
        }
        ["opened-unprivileged", rest @ ..] => {
            // The effective capabilities go with the effective user and come back with it.
            seteuid(Uid::from_raw(NOBODY))?;
            let socket = audit_socket()?;
            seteuid(Uid::from_raw(0))?;
            act(&socket, rest)
        }
        ["user-namespace", rest @ ..] => {
            unshare(CloneFlags::CLONE_NEWUSER)?;
            act(&audit_socket()?, rest)
        }
        ["pid-namespace", rest @ ..] => {
            unshare(CloneFlags::CLONE_NEWPID)?;
            // SAFETY: there is one thread.
            match unsafe { fork() }? {
                ForkResult::Child => act(&audit_socket()?, rest),
                ForkResult::Parent { child } => {
                    println!("{child}");
                    match waitpid(child, None)? {
                        WaitStatus::Exited(_, 0) => Ok(ExitCode::SUCCESS),
                        ended => Err(format!("{ended:?}").into()),
                    }
                }
            }
        }
        ["session", user, rest @ ..] => {
            std::fs::write("/proc/self/loginuid", user)?;
            run(rest)
        }
        ["then", program, rest @ ..] => {
            let end = rest.iter().position(|word| *word == "--").ok_or("`--` is missing")?;
            let (arguments, rest) = rest.split_at(end);
            let code = act(&audit_socket()?, &rest[1..])?;
            let mut child = std::process::Command::new(program).args(arguments).spawn()?;
            println!("{}", child.id());
            child.wait()?;
            Ok(code)
        }
        rest => act(&audit_socket()?, rest),
    }
}

fn audit_socket() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, Some(SockProtocol::NetlinkAudit))
}

fn act(socket: &OwnedFd, words: &[&str]) -> Outcome<ExitCode> {
    if std::process::id() != 1 {
        println!("{}", std::process::id());
    }
    let fd = socket.as_raw_fd();
    match words {
        ["raw", hex] => {
            calls::sendto(fd, &decode(hex)?)?;
        }
        ["storm", count, message_type, text] => {
            let message_type = message_type.parse()?;
            for number in 0..count.parse::<u64>()? {
                // Without asking for answers; refusals come all the same and would fill the socket.
                calls::sendto(fd, &message(message_type, &format!("{text} number={number}"), 1))?;
                if number % 32 == 0 {
                    calls::answers(fd)?;
                }
            }
        }
        [via, message_type, text] => {
            send(fd, via, &message(message_type.parse()?, text, REQUEST))?;
        }
        _ => return Err("what? See src/bin/tell-audit/main.rs".into()),
    }
    for answer in calls::answers(fd)? {
        println!("{answer}");
    }
    Ok(ExitCode::SUCCESS)
}

fn send(fd: i32, via: &str, message: &[u8]) -> io::Result<()> {
    match via {
        "sendto" => calls::sendto(fd, message),
        "send" => calls::send(fd, message),
        "write" => calls::write(fd, message),
        "writev" => calls::writev(fd, message),
        "sendmsg" => calls::sendmsg(fd, message),
        "sendmmsg" => calls::sendmmsg(fd, message),
        "sendto32" => compat::sendto(fd, message),
        "sendmsg32" => compat::sendmsg(fd, message),
        "write32" => compat::write(fd, message),
        "uring-send" => uring::send(fd, message),
        "uring-sendmsg" => uring::sendmsg(fd, message),
        "uring-write" => uring::write(fd, message),
        _ => Err(io::Error::other(format!("no way to send by `{via}`"))),
    }
}

/// A message with its netlink header, and a zero at the end of its text as libaudit sends it.
fn message(message_type: u16, text: &str, flags: u16) -> Vec<u8> {
    let len = u32::try_from(HEADER + text.len() + 1).unwrap_or(u32::MAX);
    let mut bytes = len.to_ne_bytes().to_vec();
    bytes.extend(message_type.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(1_u32.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(text.as_bytes());
    bytes.push(0);
    bytes
}

fn decode(hex: &str) -> Outcome<Vec<u8>> {
    let digits: Vec<u8> = hex.bytes().collect();
    let byte = |pair: &[u8]| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?);
    digits.chunks(2).map(byte).collect()
}

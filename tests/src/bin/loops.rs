//! Does one cheap thing again and again: `loops WHAT MILLISECONDS`. Prints the nanoseconds that one round takes, of the
//! quickest of many short stretches: what else runs on the machine only ever adds.
//!
//! | WHAT | one round |
//! | --- | --- |
//! | `getpid`, `read`, `write` | that system call; `/dev/zero` and `/dev/null` |
//! | `capability` | a system call that asks for a capability and does nothing else |
//! | `udp`, `tcp`, `unix-stream`, `unix-datagram` | one byte sent and received |
//! | `bulk` | 64 KiB sent over TCP and received |
//! | `audit` | a message to the kernel's audit, with the rights for it |
//! | `forged` | the same without the rights |

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Rounds of one stretch.
const STRETCH: u32 = 2000;
const BULK: usize = 64 * 1024;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [what, milliseconds] = &words[..] else {
        eprintln!("usage: loops WHAT MILLISECONDS");
        return ExitCode::from(2);
    };
    let measured = milliseconds.parse().map_err(Into::into).and_then(|limit| run(what, Duration::from_millis(limit)));
    match measured {
        Ok(nanoseconds) => {
            println!("{nanoseconds:.2}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("loops {what}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: &str, limit: Duration) -> Outcome<f64> {
    let mut byte = [0_u8; 1];
    match what {
        "getpid" => quickest(limit, STRETCH, || {
            // SAFETY: takes nothing. By number, as the library may remember the answer.
            unsafe { libc::syscall(libc::SYS_getpid) };
            Ok(())
        }),
        "read" => {
            let mut zero = File::open("/dev/zero")?;
            quickest(limit, STRETCH, || Ok(zero.read_exact(&mut byte)?))
        }
        "write" => {
            let mut null = File::options().write(true).open("/dev/null")?;
            quickest(limit, STRETCH, || Ok(null.write_all(&byte)?))
        }
        // Dropping a capability that does not exist: asks for CAP_SETPCAP, then fails.
        "capability" => quickest(limit, STRETCH, || {
            // SAFETY: plain numbers.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, 200) };
            Ok(())
        }),
        "udp" => {
            let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
            one.connect(other.local_addr()?)?;
            quickest(limit, STRETCH, || {
                one.send(&byte)?;
                other.recv(&mut byte)?;
                Ok(())
            })
        }
        "tcp" => {
            let (mut one, mut other) = tcp()?;
            quickest(limit, STRETCH, || {
                one.write_all(&byte)?;
                Ok(other.read_exact(&mut byte)?)
            })
        }
        "bulk" => {
            let (mut one, mut other) = tcp()?;
            let mut bytes = vec![0; BULK];
            quickest(limit, STRETCH / 20, || {
                one.write_all(&bytes)?;
                Ok(other.read_exact(&mut bytes)?)
            })
        }
        "unix-stream" => {
            let (mut one, mut other) = UnixStream::pair()?;
            quickest(limit, STRETCH, || {
                one.write_all(&byte)?;
                Ok(other.read_exact(&mut byte)?)
            })
        }
        "unix-datagram" => {
            let (one, other) = UnixDatagram::pair()?;
            quickest(limit, STRETCH, || {
                one.send(&byte)?;
                other.recv(&mut byte)?;
                Ok(())
            })
        }
        "audit" => messages(limit),
        "forged" => {
            nix::unistd::setuid(nix::unistd::Uid::from_raw(65534))?;
            messages(limit)
        }
        _ => Err("unknown; see src/bin/loops.rs".into()),
    }
}

/// Messages to the kernel's audit, of the length of those of PAM, with the kernel's answer to each.
fn messages(limit: Duration) -> Outcome<f64> {
    let socket = audit_socket()?;
    let text = format!(
        "op=PAM:session_open acct=\"nobody\" exe=\"/usr/bin/loops\" hostname=? addr=? terminal=? res=success{:50}",
        ""
    );
    let len = 16 + text.len() + 1;
    let mut message = u32::try_from(len)?.to_ne_bytes().to_vec();
    // AUDIT_TEST, NLM_F_REQUEST | NLM_F_ACK.
    message.extend(1120_u16.to_ne_bytes());
    message.extend(5_u16.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(text.as_bytes());
    message.push(0);
    let kernel = NetlinkAddr::new(0, 0);
    let mut answer = [0; 1024];
    quickest(limit, STRETCH / 20, || {
        sendto(socket.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
        recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        Ok(())
    })
}

fn audit_socket() -> nix::Result<OwnedFd> {
    socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, Some(SockProtocol::NetlinkAudit))
}

fn tcp() -> Outcome<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    one.set_nodelay(true)?;
    Ok((one, other))
}

/// Nanoseconds of one round.
fn quickest(limit: Duration, stretch: u32, mut round: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let begun = Instant::now();
    let mut best = f64::MAX;
    while begun.elapsed() < limit {
        let start = Instant::now();
        for _ in 0..stretch {
            round()?;
        }
        best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(stretch));
    }
    Ok(best)
}

//! Loads that do one cheap thing again and again: what the sensor costs those it does not look at, and those it does.
//!
//! | load | one round |
//! | --- | --- |
//! | `getpid`, `read`, `write` | that system call; `/dev/zero` and `/dev/null` |
//! | `capability` | a system call that asks for a capability and does nothing else |
//! | `udp`, `tcp`, `unix-stream`, `unix-datagram` | one byte sent to itself and received |
//! | `unix-echo` | one byte sent to another thread, which sends it back |
//! | `bulk` | 64 KiB sent over TCP and received |
//! | `missing` | an exec of a file that is not there |
//! | `audit` | a message to the kernel's audit, with the rights for it, and the kernel's answer |
//! | `forged` | the same without the rights: see [`without_rights`] |

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::{Duration, Instant};

use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::socket::{AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket};
use nix::unistd::Pid;

/// Of what can fail in more ways than are of interest.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Those that never touch audit.
pub const UNRELATED: &[&str] =
    &["getpid", "read", "write", "capability", "udp", "tcp", "bulk", "unix-stream", "unix-datagram", "unix-echo"];
/// Those that do nothing else.
pub const MESSAGES: &[&str] = &["audit", "forged"];

/// What one stretch takes, about: short, so that most are free of interrupts.
const STRETCH: Duration = Duration::from_micros(400);
const BULK: usize = 64 * 1024;
/// A user that no system gives rights.
const NOBODY: u32 = 65534;

/// A load that is set up.
pub struct Load {
    rounds: Box<dyn FnMut(u32) -> Outcome<()>>,
    /// Rounds of one stretch.
    stretch: u32,
}

impl Load {
    /// Sets it up and finds out how quick it is.
    ///
    /// # Errors
    /// There is no load of this name, or a system call failed.
    pub fn new(name: &str) -> Outcome<Self> {
        let mut load = Self { rounds: rounds(name)?, stretch: 1 };
        loop {
            let begun = Instant::now();
            (load.rounds)(load.stretch)?;
            if begun.elapsed() >= STRETCH / 2 {
                return Ok(load);
            }
            load.stretch *= 2;
        }
    }

    /// Nanoseconds of one round: of the stretches that fit into this time, the median.
    ///
    /// # Errors
    /// A system call failed.
    pub fn run(&mut self, time: Duration) -> Outcome<f64> {
        let begun = Instant::now();
        let mut stretches = Vec::new();
        while begun.elapsed() < time {
            let start = Instant::now();
            (self.rounds)(self.stretch)?;
            stretches.push(start.elapsed().as_secs_f64() * 1e9 / f64::from(self.stretch));
        }
        stretches.sort_by(f64::total_cmp);
        Ok(stretches[stretches.len() / 2])
    }
}

/// Keeps the calling thread on one processor.
///
/// # Errors
/// The system call failed.
pub fn pin() -> Outcome<()> {
    let mut set = CpuSet::new();
    // The last one: the first has more interrupts to handle.
    set.set(std::thread::available_parallelism()?.get() - 1)?;
    Ok(sched_setaffinity(Pid::from_raw(0), &set)?)
}

/// Gives up the rights of the calling thread, and of no other.
///
/// # Errors
/// The system call failed.
pub fn without_rights() -> Outcome<()> {
    // SAFETY: plain numbers. By number, as the library would change the user of all threads.
    match unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error().into()),
    }
}

fn rounds(name: &str) -> Outcome<Box<dyn FnMut(u32) -> Outcome<()>>> {
    let mut byte = [0_u8; 1];
    match name {
        "getpid" => again(|| {
            // SAFETY: takes nothing. By number, as the library may remember the answer.
            unsafe { libc::syscall(libc::SYS_getpid) };
            Ok(())
        }),
        "read" => {
            let mut zero = File::open("/dev/zero")?;
            again(move || Ok(zero.read_exact(&mut byte)?))
        }
        "write" => {
            let mut null = File::options().write(true).open("/dev/null")?;
            again(move || Ok(null.write_all(&byte)?))
        }
        "missing" => again(|| {
            let nothing: [*const libc::c_char; 1] = [std::ptr::null()];
            // SAFETY: texts that end with a zero, and lists that end with a null. It fails, so this goes on.
            unsafe { libc::execve(c"/missing".as_ptr(), nothing.as_ptr(), nothing.as_ptr()) };
            Ok(())
        }),
        // Dropping a capability that does not exist: asks for CAP_SETPCAP, then fails.
        "capability" => again(|| {
            // SAFETY: plain numbers.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, 200) };
            Ok(())
        }),
        "udp" => {
            let (one, other) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
            one.connect(other.local_addr()?)?;
            again(move || {
                one.send(&byte)?;
                other.recv(&mut byte)?;
                Ok(())
            })
        }
        "tcp" => {
            let (mut one, mut other) = tcp()?;
            again(move || {
                one.write_all(&byte)?;
                Ok(other.read_exact(&mut byte)?)
            })
        }
        "bulk" => {
            let (mut one, mut other) = tcp()?;
            let mut bytes = vec![0; BULK];
            again(move || {
                one.write_all(&bytes)?;
                Ok(other.read_exact(&mut bytes)?)
            })
        }
        "unix-stream" => {
            let (mut one, mut other) = UnixStream::pair()?;
            again(move || {
                one.write_all(&byte)?;
                Ok(other.read_exact(&mut byte)?)
            })
        }
        "unix-datagram" => {
            let (one, other) = UnixDatagram::pair()?;
            again(move || {
                one.send(&byte)?;
                other.recv(&mut byte)?;
                Ok(())
            })
        }
        "unix-echo" => {
            let (mut one, mut other) = UnixStream::pair()?;
            // Ends when the load is dropped.
            std::thread::spawn(move || {
                let mut byte = [0_u8; 1];
                while other.read_exact(&mut byte).and_then(|()| other.write_all(&byte)).is_ok() {}
            });
            again(move || {
                one.write_all(&byte)?;
                Ok(one.read_exact(&mut byte)?)
            })
        }
        "audit" | "forged" => messages(),
        _ => Err(format!("no load `{name}`").into()),
    }
}

/// So many rounds, in one call.
#[expect(clippy::unnecessary_wraps, reason = "the end of each arm above")]
fn again(mut round: impl FnMut() -> Outcome<()> + 'static) -> Outcome<Box<dyn FnMut(u32) -> Outcome<()>>> {
    Ok(Box::new(move |rounds| (0..rounds).try_for_each(|_| round())))
}

/// Messages of the length of those of PAM.
fn messages() -> Outcome<Box<dyn FnMut(u32) -> Outcome<()>>> {
    let socket: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, Some(SockProtocol::NetlinkAudit))?;
    let text = format!(
        "op=PAM:session_open acct=\"nobody\" exe=\"/usr/bin/loads\" hostname=? addr=? terminal=? res=success{:50}",
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
    again(move || {
        sendto(socket.as_raw_fd(), &message, &kernel, MsgFlags::empty())?;
        recv(socket.as_raw_fd(), &mut answer, MsgFlags::empty())?;
        Ok(())
    })
}

fn tcp() -> Outcome<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    one.set_nodelay(true)?;
    Ok((one, other))
}

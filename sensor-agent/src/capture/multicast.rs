//! The kernel's audit multicast group: what is left where no hook can be had.
//!
//! The kernel sends what it logs to this group, so user messages come only while audit is switched on, and without
//! the sender's identity beyond its pid and ids: the process table knows the rest if it knows the process. Forged messages
//! do not come at all. Messages become records as the kernel programs write them, with a start time of zero.

use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use clock::boot_now;
use rustix::io::Errno;
use rustix::net::netlink::{self, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};
use sensor_ebpf::record::audit::{TEXT_CUT, TEXT_MAX, is_user_type};
use sensor_ebpf::record::{AuditRecord, Header, Ids, LAYOUT_VERSION, ProcessKey, kind};

use super::Batch;

/// `AUDIT_NLGRP_READLOG` of Linux, as a mask.
const READLOG: u32 = 1;
/// `struct nlmsghdr`.
const HEADER: usize = 16;
/// Longest message that the kernel makes of one: the text and what it puts in front.
const MESSAGE_MAX: usize = 16 * 1024;
/// Messages taken at one look.
const AT_ONCE: usize = 64;

/// What came so far.
#[derive(Debug, Default)]
pub(super) struct MulticastCounters {
    pub(super) seen: AtomicU64,
    pub(super) submitted: AtomicU64,
    pub(super) filtered: AtomicU64,
    /// What could not be read.
    pub(super) failed: AtomicU64,
    /// Times that the kernel says it dropped some. How many it does not say.
    pub(super) overruns: AtomicU64,
}

/// A socket in the group.
#[derive(Debug)]
pub(super) struct Multicast {
    socket: OwnedFd,
    buffer: Vec<u8>,
    counters: Arc<MulticastCounters>,
}

impl Multicast {
    /// Joins the group. Takes `CAP_AUDIT_READ`.
    pub(super) fn join() -> Result<Self, String> {
        if let (Ok(own), Ok(host)) = (fs::metadata("/proc/self/ns/net"), fs::metadata("/proc/1/ns/net"))
            && own.ino() != host.ino()
        {
            return Err("the group is silent in a network namespace of its own".to_owned());
        }
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(netlink::AUDIT),
        )
        .map_err(|error| format!("no audit socket: {error}"))?;
        bind(&socket, &SocketAddrNetlink::new(0, READLOG)).map_err(|error| match error {
            Errno::PERM | Errno::ACCESS => "joining the group takes CAP_AUDIT_READ".to_owned(),
            error => format!("joining the group: {error}"),
        })?;
        Ok(Self { socket, buffer: vec![0; MESSAGE_MAX], counters: Arc::default() })
    }

    pub(super) fn counters(&self) -> Arc<MulticastCounters> {
        Arc::clone(&self.counters)
    }

    /// Appends what came, as records; true if there may be more.
    pub(super) fn take(&mut self, to: &mut Batch) -> bool {
        for _ in 0..AT_ONCE {
            match recv(&self.socket, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((len, _)) => {
                    self.counters.seen.fetch_add(1, Ordering::Relaxed);
                    let message = self.buffer.get(..len).unwrap_or_default();
                    let end = match record(message, boot_now()) {
                        Some(Ok(record)) => {
                            to.push(&record);
                            &self.counters.submitted
                        }
                        Some(Err(NoRecord)) => &self.counters.failed,
                        None => &self.counters.filtered,
                    };
                    end.fetch_add(1, Ordering::Relaxed);
                }
                Err(Errno::NOBUFS) => {
                    self.counters.overruns.fetch_add(1, Ordering::Relaxed);
                }
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }
}

impl AsFd for Multicast {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A user message that does not look like one.
#[derive(Debug, PartialEq, Eq)]
struct NoRecord;

/// The record of a message; none if it is no user message.
fn record(message: &[u8], now: u64) -> Option<Result<Vec<u8>, NoRecord>> {
    let message_type =
        message.get(4..6).and_then(|bytes| bytes.first_chunk()).map(|bytes| u16::from_ne_bytes(*bytes))?;
    if !is_user_type(message_type) {
        return None;
    }
    Some(user_record(message_type, message.get(HEADER..).unwrap_or_default(), now).ok_or(NoRecord))
}

/// `audit(1795311645.139:11): pid=606 uid=0 auid=1000 ses=3 subj=… msg='op=…'`
fn user_record(message_type: u16, line: &[u8], now: u64) -> Option<Vec<u8>> {
    let end = line.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    let line = &line[..end];
    let start = memchr::memmem::find(line, b"): ")? + 3;
    let line = &line[start..];
    let (head, text) = match memchr::memmem::find(line, b" msg='") {
        Some(at) => (&line[..at], line[at + 6..].strip_suffix(b"'").unwrap_or(&line[at + 6..])),
        // USER_TTY has its text as `data=`.
        None => (line, &line[memchr::memmem::find(line, b" data=")? + 1..]),
    };
    let number = |key: &[u8]| {
        let value = head.split(|&byte| byte == b' ').find_map(|pair| pair.strip_prefix(key)?.strip_prefix(b"="))?;
        str::from_utf8(value).ok()?.parse::<u32>().ok()
    };
    let kept = &text[..text.len().min(TEXT_MAX)];
    let uid = number(b"uid")?;
    let record = AuditRecord {
        header: Header {
            layout: LAYOUT_VERSION,
            kind: kind::AUDIT,
            len: u32::try_from(size_of::<AuditRecord>() + kept.len()).ok()?,
            time: now,
        },
        process: ProcessKey::new(number(b"pid")?, 0),
        ids: Ids {
            uid,
            euid: uid,
            loginuid: number(b"auid").unwrap_or(u32::MAX),
            session: number(b"ses").unwrap_or(u32::MAX),
            ..Ids::default()
        },
        flags: if kept.len() < text.len() { TEXT_CUT } else { 0 },
        text_bytes: u32::try_from(text.len()).ok()?,
        message_type,
        text_len: u16::try_from(kept.len()).ok()?,
        ..AuditRecord::default()
    };
    // SAFETY: `repr(C)` without padding.
    let fixed = unsafe { std::slice::from_raw_parts((&raw const record).cast::<u8>(), size_of::<AuditRecord>()) };
    Some([fixed, kept].concat())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::decode::{Record, decode};

    fn message(message_type: u16, line: &str) -> Vec<u8> {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&message_type.to_ne_bytes());
        bytes.extend(line.as_bytes());
        bytes
    }

    #[test]
    fn a_logged_message_is_what_was_sent() {
        let line =
            "audit(1795311645.139:11): pid=606 uid=7 auid=1000 ses=3 subj=kernel msg='op=x acct=\"o'b\" res=success'";
        let bytes = record(&message(1105, line), 5).unwrap().unwrap();
        let Ok(Record::Audit(audit)) = decode(&bytes) else { panic!("no record") };
        assert_eq!(audit.text, b"op=x acct=\"o'b\" res=success");
        let fixed = audit.fixed;
        assert_eq!((fixed.process.tgid, fixed.ids.uid, fixed.ids.loginuid, fixed.ids.session), (606, 7, 1000, 3));
        assert_eq!((fixed.message_type, fixed.refusal, fixed.header.time), (1105, 0, 5));
        let tty = record(&message(1124, "audit(1.1:1): pid=6 uid=0 auid=0 ses=1 data=6C730A"), 5).unwrap().unwrap();
        let Ok(Record::Audit(audit)) = decode(&tty) else { panic!("no record") };
        assert_eq!(audit.text, b"data=6C730A");
    }

    #[test]
    fn what_is_no_user_message_is_left_out() {
        assert_eq!(record(&message(1300, "audit(1.1:1): arch=c000003e"), 5), None);
        assert_eq!(record(b"short", 5), None);
        assert_eq!(record(&message(1105, "nothing known"), 5), Some(Err(NoRecord)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(line in "(audit\\(|\\): |pid=7 |uid=0 | msg='|'| data=|[ -~]){0,12}") {
            let _ = record(&message(1105, &line), 5);
        }
    }
}

//! Who listens already when somebody begins to ask.
//!
//! The program runs once for each file of each task that has files of its own, while the agent reads the iterator's file. Context
//! (`struct bpf_iter__task_file`, Linux 5.8): a pointer to `struct bpf_iter_meta`, the task, the number of its descriptor, the
//! file.

use aya_ebpf::bindings::BPF_NOEXIST;
use core::ffi::c_void;

use super::tcp::{LISTENERS, Listener, place_of, state};
use super::{INET, INET6, MULTIPATH, TCP};
use crate::kernel::actor;
use crate::kernel::lanes;
use crate::kernel::load::{Address, CastOrTyped, Memory, Probed, Typed, member, offset};
use crate::record::Actor;

/// `S_IFMT` and `S_IFSOCK` of Linux.
const KIND: u16 = 0o170_000;
const SOCKET: u16 = 0o140_000;

#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/task_file")]
extern "C" fn listeners(ctx: *mut c_void) -> i32 {
    // SAFETY: the context, as above. Both are null at the end.
    unsafe {
        let (task, file) = (member::<Address>(ctx, 8), member::<Address>(ctx, 24));
        if !task.is_null() && !file.is_null() {
            one(task, file);
        }
    }
    0
}

#[inline(always)]
unsafe fn one(task: Address, file: Address) {
    // SAFETY: the task and the file are typed; what is behind the file is probed.
    unsafe {
        let inode: Address = Typed::member(file, offset!(file_inode));
        if inode.is_null() || Typed::member::<u16>(inode, offset!(inode_mode)) & KIND != SOCKET {
            return;
        }
        let socket: Address = Probed::member(file, offset!(file_private_data));
        let sock: Address = Probed::member(socket, offset!(network.socket_sk));
        let family: u16 = Probed::member(sock, offset!(sock_family));
        let protocol: u16 = Probed::member(sock, offset!(sock_protocol));
        let state: u8 = Probed::member(sock, offset!(network.sock_state));
        if !matches!(family, INET | INET6) || !matches!(protocol, TCP | MULTIPATH) || i32::from(state) != state::LISTEN
        {
            return;
        }
        let mut listener = Listener { actor: Actor::default(), lane: lanes::of(task), reserved: 0, sock: sock as u64 };
        actor::describe_task::<CastOrTyped>(task, &raw mut listener.actor);
        // Of several processes that have it, the first one, as one that began to listen meanwhile.
        let _ = LISTENERS.insert(&place_of::<Probed>(sock), &listener, u64::from(BPF_NOEXIST));
    }
}

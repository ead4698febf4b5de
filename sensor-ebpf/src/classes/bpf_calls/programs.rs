//! The programs: which calls count, and by which objects.

use aya_ebpf::EbpfContext;
use aya_ebpf::btf_maps::HashMap;
use aya_ebpf::helpers::generated::{
    bpf_get_current_pid_tgid, bpf_get_current_task, bpf_probe_read_kernel_str, bpf_probe_read_user,
};
use aya_ebpf::macros::{btf_map, btf_tracepoint, fexit};
use aya_ebpf::programs::{BtfTracePointContext, FExitContext};

use super::{BpfAttachRecord, OWN, SensorObjectRecord, TARGET_LEN, call, object, own};
use crate::classes::Source;
use crate::kernel::actor;
use crate::kernel::call::{self as calls, Call, Ended};
use crate::kernel::emit::{Run, header, sensor};
use crate::kernel::load::{Address, Memory, Probed, offset, present, probe, word};
use crate::kernel::replicas::{replicas, run_once};

/// The sensor's own programs, maps and attachments, see [`own`].
#[btf_map]
static OWN_OBJECTS: HashMap<u64, u32, OWN> = HashMap::new();

/// `PERF_EVENT_IOC_SET_BPF` of Linux.
const SET_BPF: u64 = 0x4004_2408;

replicas! {
    fexit, "__x64_sys_bpf", FExitContext, at_call:
    bpf_call = 0, bpf_call_2 = 1, bpf_call_3 = 2, bpf_call_4 = 3
}

#[inline(always)]
fn at_call<const N: u32>(ctx: &FExitContext) {
    // SAFETY: behind the one argument, the registers, comes what was returned.
    unsafe { ended::<N>(Call::at_hand(false), word::<1>(ctx.as_ptr()) as i32) }
}

replicas! {
    fexit, "__ia32_sys_bpf", FExitContext, at_compat_call:
    bpf_call_compat = 0, bpf_call_compat_2 = 1, bpf_call_compat_3 = 2, bpf_call_compat_4 = 3
}

#[inline(always)]
fn at_compat_call<const N: u32>(ctx: &FExitContext) {
    // SAFETY: likewise.
    unsafe { ended::<N>(Call::at_hand(true), word::<1>(ctx.as_ptr()) as i32) }
}

replicas! {
    fexit, "perf_ioctl", FExitContext, at_ioctl:
    perf_ioctl = 0, perf_ioctl_2 = 1, perf_ioctl_3 = 2, perf_ioctl_4 = 3
}

#[inline(always)]
fn at_ioctl<const N: u32>(ctx: &FExitContext) {
    let ctx = ctx.as_ptr();
    // SAFETY: the arguments are the file, what is asked for, and the descriptor; then comes what was returned.
    unsafe {
        if word::<1>(ctx) & 0xffff_ffff == SET_BPF {
            probed::<N>(word::<0>(ctx) as Address, word::<2>(ctx) as u32, word::<3>(ctx) as i32);
        }
    }
}

replicas! {
    btf_tracepoint, "sys_exit", BtfTracePointContext, at_end:
    sys_exit_of_bpf = 0, sys_exit_of_bpf_2 = 1, sys_exit_of_bpf_3 = 2, sys_exit_of_bpf_4 = 3
}

#[inline(always)]
fn at_end<const N: u32>(ctx: &BtfTracePointContext) {
    // SAFETY: the program's own context.
    unsafe {
        let Some(end) = Ended::at(ctx.as_ptr()) else { return };
        let number = end.number;
        // `bpf` and `ioctl`, of 64 bits, of x32 and of 32 bits.
        if number != 321 && number != 357 && number != 16 && number != 514 && number != 54 {
            return;
        }
        let call = end.call();
        match (number, call.is_compat) {
            (321, false) | (357, true) => ended::<N>(call, end.returned as i32),
            (16 | 514, false) | (54, true) if call.argument::<1>() & 0xffff_ffff == SET_BPF => {
                let file = calls::file::<Probed>(bpf_get_current_task() as Address, call.argument::<0>() as u32);
                if is_named(file, *b"[perf_ev") {
                    probed::<N>(file, call.argument::<2>() as u32, end.returned as i32);
                }
            }
            _ => {}
        }
    }
}

/// A program came to the probe that an event stands for.
#[inline(always)]
unsafe fn probed<const N: u32>(file: Address, descriptor: u32, returned: i32) {
    if !present!(bpf_calls.perf_prog) {
        return;
    }
    // SAFETY: probed.
    unsafe {
        run_once::<N>(Source::BpfCall, bpf_get_current_task() as Address, |run| {
            let program = if returned == 0 {
                let event: Address = Probed::member(file, offset!(file_private_data));
                Probed::member(event, offset!(bpf_calls.perf_prog))
            } else {
                program_of(descriptor)
            };
            let no_link = core::ptr::null();
            attached(run, Attachment { call: call::PERF_SET_BPF, program, link: no_link, attach_type: 0, returned });
        });
    }
}

/// Words of `union bpf_attr`, by their place.
#[inline(always)]
unsafe fn attribute<const PLACE: usize>(attributes: u64) -> u32 {
    let mut word = 0_u32;
    // SAFETY: the helper checks the source; what cannot be read is zero.
    unsafe { bpf_probe_read_user((&raw mut word).cast(), 4, (attributes + PLACE as u64) as Address) };
    word
}

#[inline(always)]
unsafe fn ended<const N: u32>(at: Call, returned: i32) {
    // SAFETY: probed.
    unsafe {
        let command = at.argument::<0>() as u32;
        let (call, sort) = match command {
            2 | 26 => (call::MAP_UPDATE, object::MAP),
            3 | 21 | 25 | 27 => (call::MAP_DELETE, object::MAP),
            8 => (call::PROG_ATTACH, object::PROGRAM),
            13 => (call::GET_FD_BY_ID, object::PROGRAM),
            14 => (call::GET_FD_BY_ID, object::MAP),
            17 => (call::RAW_TRACEPOINT_OPEN, object::PROGRAM),
            22 => (call::MAP_FREEZE, object::MAP),
            28 => (call::LINK_CREATE, object::PROGRAM),
            29 => (call::LINK_UPDATE, object::LINK),
            30 => (call::GET_FD_BY_ID, object::LINK),
            34 => (call::LINK_DETACH, object::LINK),
            _ => return,
        };
        let attributes = at.argument::<1>();
        run_once::<N>(Source::BpfCall, bpf_get_current_task() as Address, |run| match call {
            call::PROG_ATTACH => {
                let program = program_of(attribute::<4>(attributes));
                let attach_type = attribute::<8>(attributes);
                attached(run, Attachment { call, program, link: core::ptr::null(), attach_type, returned });
            }
            call::RAW_TRACEPOINT_OPEN | call::LINK_CREATE => {
                let (link, program) = if returned >= 0 {
                    let link = held(returned as u32, object::LINK);
                    (link, if link.is_null() { link } else { Probed::member(link, offset!(bpf_calls.link_prog)) })
                } else if call == call::LINK_CREATE {
                    (core::ptr::null(), program_of(attribute::<0>(attributes)))
                } else {
                    (core::ptr::null(), program_of(attribute::<8>(attributes)))
                };
                attached(run, Attachment { call, program, link, attach_type: 0, returned });
            }
            _ => {
                // Those of several keys at once have the map elsewhere.
                let descriptor =
                    if matches!(command, 25..=27) { attribute::<36>(attributes) } else { attribute::<0>(attributes) };
                let is_by_id = call == call::GET_FD_BY_ID;
                let at = if is_by_id && returned >= 0 { returned as u32 } else { descriptor };
                let found = if is_by_id && returned < 0 { core::ptr::null() } else { held(at, sort) };
                let id = if is_by_id && returned < 0 { descriptor } else { id_of(found, sort) };
                if OWN_OBJECTS.get_ptr(&own(sort, id)).is_some() {
                    touched(run, call, sort, id, found, returned);
                } else if call == call::LINK_UPDATE {
                    let program = program_of(attribute::<4>(attributes));
                    attached(run, Attachment { call, program, link: found, attach_type: 0, returned });
                } else {
                    run.filtered();
                }
            }
        });
    }
}

/// The object behind a descriptor of the task at hand, if it is of this sort.
#[inline(always)]
unsafe fn held(descriptor: u32, sort: u32) -> Address {
    // SAFETY: probed.
    unsafe {
        let file = calls::file::<Probed>(bpf_get_current_task() as Address, descriptor);
        let is_so = match sort {
            object::PROGRAM => is_named(file, *b"bpf-prog"),
            object::MAP => is_named(file, *b"bpf-map\0"),
            // By how the descriptor was had.
            _ => is_named(file, *b"bpf_link") || is_named(file, *b"bpf-link"),
        };
        if is_so { Probed::member(file, offset!(file_private_data)) } else { core::ptr::null() }
    }
}

#[inline(always)]
unsafe fn program_of(descriptor: u32) -> Address {
    // SAFETY: likewise.
    unsafe { held(descriptor, object::PROGRAM) }
}

/// Whether a file of the kernel's own is called so, in the first eight bytes. Files of folders can be as well: those have a parent.
#[inline(always)]
unsafe fn is_named(file: Address, name: [u8; 8]) -> bool {
    if file.is_null() {
        return false;
    }
    // SAFETY: probed.
    unsafe {
        let dentry: Address = Probed::member(file, offset!(file_path_dentry));
        let parent: Address = Probed::member(dentry, offset!(dentry_parent));
        let at: Address = Probed::member(dentry, offset!(dentry_name) + offset!(qstr_name));
        parent == dentry && Probed::member::<u64>(at, 0) == u64::from_ne_bytes(name)
    }
}

#[inline(always)]
unsafe fn id_of(found: Address, sort: u32) -> u32 {
    if found.is_null() {
        return 0;
    }
    // SAFETY: probed.
    unsafe {
        match sort {
            object::PROGRAM => {
                let aux: Address = Probed::member(found, offset!(bpf.bpf_prog_aux));
                Probed::member(aux, offset!(bpf.bpf_aux_id))
            }
            object::MAP => Probed::member(found, offset!(bpf_calls.map_id)),
            _ => Probed::member(found, offset!(bpf_calls.link_id)),
        }
    }
}

/// Whether it is the sensor that calls.
#[inline(always)]
fn is_sensor() -> bool {
    // SAFETY: takes nothing.
    let process = (unsafe { bpf_get_current_pid_tgid() } >> 32) as u32;
    sensor() == process
}

struct Attachment {
    call: u32,
    /// Zero if there is none.
    program: Address,
    /// The `struct bpf_link`, if that is known.
    link: Address,
    attach_type: u32,
    returned: i32,
}

#[inline(always)]
unsafe fn attached(run: Run, what: Attachment) {
    if is_sensor() {
        return run.filtered();
    }
    if !run.has_room(Source::BpfCall) {
        return;
    }
    let Some(record) = run.reserve::<BpfAttachRecord>(Source::BpfCall.ring()) else { return };
    // SAFETY: the record is the ring's until it is committed; all that is reached through the program is probed.
    unsafe {
        (*record).header = header::<BpfAttachRecord>();
        actor::describe(&raw mut (*record).actor);
        (*record).call = what.call;
        (*record).error = if what.returned < 0 { what.returned } else { 0 };
        (*record).attach_type = what.attach_type;
        let program = what.program;
        if !program.is_null() {
            let aux: Address = Probed::member(program, offset!(bpf.bpf_prog_aux));
            (*record).id = Probed::member(aux, offset!(bpf.bpf_aux_id));
            (*record).program_type = Probed::member(program, offset!(bpf.bpf_prog_type));
            if what.call != call::PROG_ATTACH && present!(bpf.bpf_prog_attach_type) {
                (*record).attach_type = Probed::member(program, offset!(bpf.bpf_prog_attach_type));
            }
            probe(&raw mut (*record).name, aux as u64 + u64::from(offset!(bpf.bpf_aux_name)));
            let mut target: Address = core::ptr::null();
            if present!(bpf.bpf_aux_target) {
                target = Probed::member(aux, offset!(bpf.bpf_aux_target));
            }
            if target.is_null() {
                target = tracepoint_of(what.link);
            }
            if !target.is_null() {
                bpf_probe_read_kernel_str((&raw mut (*record).target).cast(), TARGET_LEN as u32, target);
            }
        }
        run.commit(Source::BpfCall.ring(), record);
    }
}

/// The name of the tracepoint that a link is of; zero if it is of none.
#[inline(always)]
unsafe fn tracepoint_of(link: Address) -> Address {
    /// `BPF_LINK_TYPE_RAW_TRACEPOINT` of Linux.
    const RAW_TRACEPOINT: u32 = 1;
    if link.is_null()
        || !present!(bpf_calls.link_type)
        || !present!(bpf_calls.raw_link_event)
        || !present!(bpf_calls.raw_event_tracepoint)
        || !present!(bpf_calls.tracepoint_name)
    {
        return core::ptr::null();
    }
    // SAFETY: probed; the link is the first member of what is around it.
    unsafe {
        if Probed::member::<u32>(link, offset!(bpf_calls.link_type)) != RAW_TRACEPOINT {
            return core::ptr::null();
        }
        let event: Address = Probed::member(link, offset!(bpf_calls.raw_link_event));
        let tracepoint: Address = Probed::member(event, offset!(bpf_calls.raw_event_tracepoint));
        Probed::member(tracepoint, offset!(bpf_calls.tracepoint_name))
    }
}

#[inline(always)]
unsafe fn touched(run: Run, call: u32, sort: u32, id: u32, found: Address, returned: i32) {
    if is_sensor() {
        return run.filtered();
    }
    if !run.has_room(Source::BpfCall) {
        return;
    }
    let Some(record) = run.reserve::<SensorObjectRecord>(Source::BpfCall.ring()) else { return };
    // SAFETY: the record is the ring's until it is committed; all that is reached through the object is probed.
    unsafe {
        (*record).header = header::<SensorObjectRecord>();
        actor::describe(&raw mut (*record).actor);
        (*record).call = call;
        (*record).object = sort;
        (*record).id = id;
        (*record).error = if returned < 0 { returned } else { 0 };
        if !found.is_null() {
            if sort == object::MAP {
                probe(&raw mut (*record).name, found as u64 + u64::from(offset!(bpf_calls.map_name)));
            } else if sort == object::PROGRAM {
                let aux: Address = Probed::member(found, offset!(bpf.bpf_prog_aux));
                probe(&raw mut (*record).name, aux as u64 + u64::from(offset!(bpf.bpf_aux_name)));
            }
        }
        run.commit(Source::BpfCall.ring(), record);
    }
}

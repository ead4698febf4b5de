//! Programs that do nothing, at tracepoints: what the kernel takes for running any program there.

use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use btf_rs::{Btf, Type};
use sensor_tests::loads::Outcome;

/// Commands, a type and an attach type of bpf(2).
const PROG_LOAD: libc::c_int = 5;
const RAW_TRACEPOINT_OPEN: libc::c_int = 17;
const TRACING: u32 = 26;
const TRACE_RAW_TP: u32 = 23;
/// `r0 = 0; exit`
const NOTHING: [u64; 2] = [0xb7, 0x95];

/// What `PROG_LOAD` takes, as far as it is needed.
#[repr(C)]
#[derive(Default)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    unused: [u32; 11],
    expected_attach_type: u32,
    unused_too: [u32; 9],
    attach_btf_id: u32,
    unused_as_well: [u32; 2],
}

const _: () = assert!(std::mem::offset_of!(Load, expected_attach_type) == 68);
const _: () = assert!(std::mem::offset_of!(Load, attach_btf_id) == 108);

/// Empty programs, one for each of these tracepoints.
pub(crate) struct Empty {
    place: String,
    programs: Vec<OwnedFd>,
    links: Vec<OwnedFd>,
}

impl Empty {
    pub(crate) fn at(tracepoints: &[&str]) -> Outcome<Self> {
        let btf = Btf::from_file("/sys/kernel/btf/vmlinux")?;
        let programs = tracepoints.iter().map(|name| load(&btf, name)).collect::<Outcome<_>>()?;
        let place = tracepoints.iter().map(|at| format!("`{at}`")).collect::<Vec<_>>().join(" and ");
        Ok(Self { place, programs, links: Vec::new() })
    }

    /// Where they are, for the reader.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    pub(crate) fn attach(&mut self) -> Outcome<()> {
        for program in &self.programs {
            // A typed tracepoint needs no name.
            let attr: [u64; 2] = [0, u64::try_from(program.as_raw_fd())?];
            self.links.push(bpf(RAW_TRACEPOINT_OPEN, &attr)?);
        }
        Ok(())
    }

    pub(crate) fn detach(&mut self) {
        self.links.clear();
    }
}

fn load(btf: &Btf, tracepoint: &str) -> Outcome<OwnedFd> {
    let ids = btf.resolve_ids_by_name(&format!("btf_trace_{tracepoint}"))?;
    let is_typedef = |id: &u32| matches!(btf.resolve_type_by_id(*id), Ok(Type::Typedef(_)));
    let attach_btf_id = ids.into_iter().find(is_typedef).ok_or(format!("no tracepoint {tracepoint} here"))?;
    let attr = Load {
        prog_type: TRACING,
        insn_cnt: 2,
        insns: NOTHING.as_ptr() as u64,
        license: c"GPL".as_ptr() as u64,
        expected_attach_type: TRACE_RAW_TP,
        attach_btf_id,
        ..Load::default()
    };
    bpf(PROG_LOAD, &attr).map_err(|error| format!("an empty program at {tracepoint}: {error}").into())
}

fn bpf<T>(command: libc::c_int, attr: &T) -> Outcome<OwnedFd> {
    // SAFETY: the attributes are as this command takes them, and what they point to outlives the call.
    let fd = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_ref(attr), size_of::<T>()) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    // SAFETY: a new descriptor that nobody else has.
    Ok(unsafe { OwnedFd::from_raw_fd(i32::try_from(fd)?) })
}

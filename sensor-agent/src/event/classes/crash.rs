//! Programs that end by a fault of theirs.

use schema::classes::crash as facts;
use schema::classes::crash::{CrashSignal, FaultAccess, FaultAddressKind};
use schema::{EventType, Outcome};
use sensor_ebpf::classes::crash::{CrashRecord, Fault};

use super::{Act, Class};
use crate::event::fields::{Field, of_event};
use crate::event::{Detail, Own, Value};

pub(super) const CLASS: Class = Class::of_act::<Crash>(FIELDS);

/// From so many crashes of a program on, each is one of repeated crashes.
const REPEATED: u32 = 6;

/// A program that crashed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Crash {
    signal: Option<CrashSignal>,
    /// Why the signal came, unless that is not known.
    code: Option<i32>,
    /// Whether somebody sent it, where that alone is written down.
    is_sent: Option<bool>,
    address: Option<FaultAddressKind>,
    access: Option<FaultAccess>,
    is_dumped: bool,
    /// How many there were of the program.
    count: u32,
}

impl Own for Crash {
    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn outcome(&self) -> Outcome {
        Outcome::Failure
    }

    fn is_counted(&self) -> bool {
        true
    }

    fn with_count(&self, count: u32) -> Option<(EventType, Detail)> {
        let kind = if count >= REPEATED { EventType::CrashRepeated } else { EventType::Crash };
        Some((kind, Detail::own(Self { count, ..self.clone() })))
    }
}

impl Act for Crash {
    type Record = CrashRecord;
    const EVENT: EventType = EventType::Crash;

    fn read(record: &CrashRecord) -> Self {
        let fault = Some(record.fault).filter(|fault| fault.signal != 0);
        Self {
            signal: signal(record.status & 0x7f),
            code: fault.map(|fault| fault.code),
            is_sent: None,
            address: fault.and_then(|fault| address_kind(&fault)),
            access: fault.and_then(|fault| access(&fault)),
            is_dumped: record.status & 0x80 != 0,
            count: 0,
        }
    }

    fn sentence(&self, program: &str) -> String {
        let signal = self.signal.map_or("a signal", CrashSignal::word);
        let access = match self.access {
            Some(FaultAccess::Read) => ", reading",
            Some(FaultAccess::Write) => ", writing",
            Some(FaultAccess::Execute) => ", running code",
            None => "",
        };
        let address = match self.address {
            Some(FaultAddressKind::Null) => " at the zero address or near it",
            Some(FaultAddressKind::Stack) => " at the stack",
            Some(FaultAddressKind::Heap) => " at the heap",
            Some(FaultAddressKind::Kernel) => " in the kernel's half of the addresses",
            Some(FaultAddressKind::Protection) => " by a protection of the processor",
            Some(FaultAddressKind::Other) | None => "",
        };
        let sent = if self.is_sent() == Some(true) { ", which was sent" } else { "" };
        let times =
            if self.count >= REPEATED { format!(", {} times in ten minutes", self.count) } else { String::new() };
        format!("Program {program} crashed with {signal}{sent}{access}{address}{times}")
    }
}

impl Crash {
    /// Whether somebody sent the signal; none if that is not known.
    fn is_sent(&self) -> Option<bool> {
        self.is_sent.or_else(|| self.code.map(|code| code <= 0))
    }
}

fn signal(number: u32) -> Option<CrashSignal> {
    match i32::try_from(number).ok()? {
        libc::SIGILL => Some(CrashSignal::Ill),
        libc::SIGTRAP => Some(CrashSignal::Trap),
        libc::SIGABRT => Some(CrashSignal::Abrt),
        libc::SIGBUS => Some(CrashSignal::Bus),
        libc::SIGFPE => Some(CrashSignal::Fpe),
        libc::SIGSEGV => Some(CrashSignal::Segv),
        libc::SIGSYS => Some(CrashSignal::Sys),
        _ => None,
    }
}

/// `SI_KERNEL` of Linux: the kernel sent it, and says no more.
const SI_KERNEL: i32 = 0x80;
/// Exceptions of x86: at the stack's segment, of general protection, and of a page.
const STACK_SEGMENT: u64 = 12;
const GENERAL_PROTECTION: u64 = 13;
const PAGE_FAULT: u64 = 14;

/// Whether it is a signal about an address, from the kernel.
fn is_about_address(fault: &Fault) -> bool {
    let about_address = [libc::SIGSEGV, libc::SIGBUS].iter().any(|&signal| signal.unsigned_abs() == fault.signal);
    about_address && fault.code > 0
}

/// Where the address is that could not be had; none if the signal is about none, or does not say.
fn address_kind(fault: &Fault) -> Option<FaultAddressKind> {
    /// How far from an area what runs over its end gets at first.
    const NEAR: u64 = 64 << 10;
    const PAGE: u64 = 4096;
    if !is_about_address(fault) {
        return None;
    }
    if fault.code == SI_KERNEL {
        let is_protection = matches!(fault.trap, STACK_SEGMENT | GENERAL_PROTECTION);
        return is_protection.then_some(FaultAddressKind::Protection);
    }
    let (address, end) = (fault.address, fault.stack_end.saturating_add(PAGE));
    let is_within = |from: u64, to: u64| (from..to).contains(&address);
    let stack = end.saturating_sub(fault.stack_pages.saturating_mul(PAGE).saturating_add(PAGE + NEAR));
    Some(if address < NEAR {
        FaultAddressKind::Null
    } else if address >= 1 << 63 {
        FaultAddressKind::Kernel
    } else if fault.stack_end != 0 && is_within(stack, end) || fault.stack_pointer.abs_diff(address) <= NEAR {
        FaultAddressKind::Stack
    } else if is_within(fault.heap_start, fault.heap_end.saturating_add(NEAR)) {
        FaultAddressKind::Heap
    } else {
        FaultAddressKind::Other
    })
}

/// What was to be done at the address, where the last exception is that of the signal and says so.
fn access(fault: &Fault) -> Option<FaultAccess> {
    /// Bits of the error code of page faults.
    const WRITE: u64 = 1 << 1;
    const EXECUTE: u64 = 1 << 4;
    if !is_about_address(fault) || fault.code == SI_KERNEL || fault.trap != PAGE_FAULT {
        return None;
    }
    Some(match fault.error_code {
        code if code & EXECUTE != 0 => FaultAccess::Execute,
        code if code & WRITE != 0 => FaultAccess::Write,
        _ => FaultAccess::Read,
    })
}

const FIELDS: &[Field] = &[
    of_event(
        &facts::CRASH_SIGNAL,
        |event, _| event.own(|crash: &Crash| crash.signal.map_or(Value::Absent, |signal| Value::Word(signal.word()))),
        |d, v| v.put_word(&mut d.act::<Crash>().signal),
    ),
    of_event(
        &facts::CRASH_CODE,
        |event, _| event.own(|crash: &Crash| crash.code.map_or(Value::Absent, |code| Value::Int(code.into()))),
        |d, v| v.put(&mut d.act::<Crash>().code),
    ),
    of_event(
        &facts::IS_CRASH_SENT,
        |event, _| event.own(|crash: &Crash| crash.is_sent().map_or(Value::Absent, Value::Bool)),
        |d, v| v.put(&mut d.act::<Crash>().is_sent),
    ),
    of_event(
        &facts::FAULT_ADDRESS_KIND,
        |event, _| event.own(|crash: &Crash| crash.address.map_or(Value::Absent, |kind| Value::Word(kind.word()))),
        |d, v| v.put_word(&mut d.act::<Crash>().address),
    ),
    of_event(
        &facts::FAULT_ACCESS,
        |event, _| event.own(|crash: &Crash| crash.access.map_or(Value::Absent, |access| Value::Word(access.word()))),
        |d, v| v.put_word(&mut d.act::<Crash>().access),
    ),
    of_event(
        &facts::IS_CORE_DUMPED,
        |event, _| event.own(|crash: &Crash| Value::Bool(crash.is_dumped)),
        |d, v| v.put(&mut d.act::<Crash>().is_dumped),
    ),
    of_event(
        &facts::CRASH_COUNT,
        |event, _| {
            event.own(|crash: &Crash| if crash.count == 0 { Value::Absent } else { Value::Int(crash.count.into()) })
        },
        |d, v| v.put(&mut d.act::<Crash>().count),
    ),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STACK_END: u64 = 0x7ffd_0000_0000;
    const HEAP: u64 = 0x5555_0000_0000;

    fn fault(address: u64) -> Fault {
        Fault {
            address,
            stack_pointer: 0x7f00_0010_0000,
            stack_end: STACK_END - 8,
            stack_pages: 33,
            heap_start: HEAP,
            heap_end: HEAP + 0x2_1000,
            trap: PAGE_FAULT,
            error_code: 4,
            signal: libc::SIGSEGV.unsigned_abs(),
            code: 1,
        }
    }

    #[test]
    fn an_address_is_of_what_it_is_in_or_runs_over() {
        for (address, kind) in [
            (0, FaultAddressKind::Null),
            (0xffff, FaultAddressKind::Null),
            (0x1_0000, FaultAddressKind::Other),
            (HEAP - 1, FaultAddressKind::Other),
            (HEAP, FaultAddressKind::Heap),
            (HEAP + 0x2_1000, FaultAddressKind::Heap),
            (HEAP + 0x3_1000, FaultAddressKind::Other),
            (STACK_END - 1, FaultAddressKind::Stack),
            (STACK_END - 33 * 4096, FaultAddressKind::Stack),
            // The page below it, at which it could not grow.
            (STACK_END - 34 * 4096, FaultAddressKind::Stack),
            (STACK_END - 60 * 4096, FaultAddressKind::Other),
            (STACK_END + 0x10_0000, FaultAddressKind::Other),
            // Of another thread.
            (0x7f00_000f_fff8, FaultAddressKind::Stack),
            (0x7f00_0020_0000, FaultAddressKind::Other),
            (0x7fff_ffff_f000, FaultAddressKind::Other),
            (0xffff_8000_0000_0000, FaultAddressKind::Kernel),
            (u64::MAX, FaultAddressKind::Kernel),
        ] {
            assert_eq!(address_kind(&fault(address)), Some(kind), "{address:#x}");
        }
    }

    #[test]
    fn what_tells_of_no_address_has_none() {
        let sent = Fault { code: libc::SI_TKILL, ..fault(1000) };
        let divided = Fault { signal: libc::SIGFPE.unsigned_abs(), ..fault(0) };
        let refused = Fault { code: SI_KERNEL, ..fault(0) };
        for one in [sent, divided, refused] {
            assert_eq!((address_kind(&one), access(&one)), (None, None), "{one:?}");
        }
        for trap in [STACK_SEGMENT, GENERAL_PROTECTION] {
            assert_eq!(address_kind(&Fault { trap, ..refused }), Some(FaultAddressKind::Protection));
        }
    }

    #[test]
    fn what_was_to_be_done_is_what_the_processor_says() {
        for (error_code, expected) in
            [(4, FaultAccess::Read), (6, FaultAccess::Write), (7, FaultAccess::Write), (0x15, FaultAccess::Execute)]
        {
            assert_eq!(access(&Fault { error_code, ..fault(0) }), Some(expected));
        }
        assert_eq!(access(&Fault { trap: 0, ..fault(0) }), None);
    }

    proptest! {
        #[test]
        fn any_record_is_read(words: [u64; 8], signal: u32, code: i32, status: u32) {
            let [address, stack_pointer, stack_end, stack_pages, heap_start, heap_end, trap, error_code] = words;
            let fault = Fault {
                address, stack_pointer, stack_end, stack_pages, heap_start, heap_end, trap, error_code, signal, code,
            };
            let (kind, access) = (address_kind(&fault), access(&fault));
            prop_assert!(kind.is_none() || code > 0);
            prop_assert!(access.is_none() || kind.is_some());
            prop_assert_eq!(super::signal(status & 0x7f).is_some(), status & 0x7f < 32 && sensor_ebpf::classes::crash::SIGNALS >> (status & 0x7f) & 1 != 0);
        }
    }
}

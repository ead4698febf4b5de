//! What the sensor itself takes of the host. What cannot be read has no sample.

use std::fs;

use rustix::param::page_size;
use rustix::time::{ClockId, clock_gettime};

use super::{Family, Kind, gauge, number};

pub(super) fn process() -> Vec<Family> {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let resident = fs::read_to_string("/proc/self/statm").ok().and_then(|text| resident(&text));
    let open = fs::read_dir("/proc/self/fd").ok().map(|folder| folder.count() as f64);
    let one = |value: Option<f64>| value.map(|value| number([], value)).into_iter().collect();
    vec![
        Family {
            name: "process_cpu_seconds",
            help: "Time that the sensor's threads took of a processor. What its kernel programs take is the task's that sets them off.",
            kind: Kind::Counter,
            samples: one(Some(cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9)),
        },
        gauge("process_resident_memory_bytes", "Memory of the sensor that is resident.", one(resident)),
        gauge("process_open_fds", "Files, sockets and kernel objects that the sensor has open.", one(open)),
    ]
}

/// The second number of `/proc/PID/statm`, in pages.
fn resident(statm: &str) -> Option<f64> {
    let pages: f64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_there_and_more_than_nothing() {
        for family in process() {
            let [sample] = &family.samples[..] else { panic!("{}: {:?}", family.name, family.samples) };
            assert!(sample.value > 0.0, "{}", family.name);
        }
        assert_eq!(resident("12 nonsense"), None);
    }
}

//! What a snapshot is made of: what a record says of its process, and what the table knows of it.

use std::sync::Arc;

use sensor_ebpf::record::{AuditRecord, Namespaces};
use uuid::Uuid;

use crate::event::decode::Exec;
use crate::event::{Ids, Process, ProcessKey, TTY_LEN};

/// What a record says of its process.
pub(super) struct Told<'a> {
    pub(super) key: ProcessKey,
    pub(super) exec_id: u16,
    pub(super) ids: Ids,
    pub(super) namespaces: Namespaces,
    pub(super) ns_pid: u32,
    pub(super) cgroup_id: u64,
    /// The cgroup's path, leaf first; empty if it was told before.
    pub(super) cgroup: &'a [u8],
    pub(super) tty: [u8; TTY_LEN],
}

impl<'a> Told<'a> {
    pub(super) fn by_exec(exec: &Exec<'a>) -> Self {
        let fixed = &exec.fixed;
        Self {
            key: fixed.process,
            exec_id: fixed.exec_id,
            ids: fixed.ids,
            namespaces: fixed.namespaces,
            ns_pid: fixed.ns_pid,
            cgroup_id: fixed.cgroup_id,
            cgroup: exec.cgroup,
            tty: fixed.tty,
        }
    }

    pub(super) fn by_audit(fixed: &AuditRecord, cgroup: &'a [u8]) -> Self {
        Self {
            key: fixed.process,
            exec_id: 0,
            ids: fixed.ids,
            namespaces: fixed.namespaces,
            ns_pid: fixed.ns_pid,
            cgroup_id: fixed.cgroup_id,
            cgroup,
            tty: fixed.tty,
        }
    }
}

/// What the table knows of a process, whatever a record says.
pub(super) struct Known {
    pub(super) parent_key: ProcessKey,
    pub(super) parent: Option<Arc<Process>>,
    pub(super) incident: Option<Uuid>,
}

impl Known {
    pub(super) fn of(process: &Process) -> Self {
        Self { parent_key: process.parent_key, parent: process.parent.clone(), incident: process.incident }
    }
}

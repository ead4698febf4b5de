//! What a snapshot is made of: what a record says of its process, and what the table knows of it.

use std::sync::Arc;

use sensor_ebpf::record::{Actor, AuditRecord, Namespaces, Place};
use uuid::Uuid;

use super::groups::Where;
use crate::event::decode::Exec;
use crate::event::{Ids, Process, ProcessKey, TTY_LEN};

/// What a record says of its process.
pub(super) struct Observed<'a> {
    pub(super) key: ProcessKey,
    pub(super) exec_id: u16,
    pub(super) ids: Ids,
    pub(super) namespaces: Namespaces,
    pub(super) ns_pid: u32,
    pub(super) place: Place,
    /// The cgroup's path; empty if it was told before.
    pub(super) cgroup: &'a [u8],
    pub(super) flags: u32,
    pub(super) tty: [u8; TTY_LEN],
}

impl<'a> Observed<'a> {
    pub(super) fn by_exec(exec: &Exec<'a>) -> Self {
        let fixed = &exec.fixed;
        Self {
            key: fixed.process,
            exec_id: fixed.exec_id,
            ids: fixed.ids,
            namespaces: fixed.namespaces,
            ns_pid: fixed.ns_pid,
            place: fixed.place,
            cgroup: exec.cgroup,
            flags: fixed.flags,
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
            place: fixed.place,
            cgroup,
            flags: fixed.flags,
            tty: fixed.tty,
        }
    }

    /// Who did something, who has been where the table has it.
    pub(super) fn by_actor(actor: &Actor, before: Option<&Process>) -> Self {
        let cgroup_id = before.map_or(0, |before| before.cgroup_id);
        Self {
            key: actor.process,
            exec_id: 0,
            ids: actor.ids,
            namespaces: actor.namespaces,
            ns_pid: actor.ns_pid,
            place: Place { cgroup_id, ..Place::default() },
            cgroup: &[],
            flags: 0,
            tty: before.map_or_else(Default::default, |before| before.tty),
        }
    }

    /// Where it is, with the process as it was before, or its parent.
    pub(super) fn at(&self, before: Option<&'a Process>) -> Where<'_> {
        let Self { namespaces, place, cgroup, flags, .. } = self;
        Where { namespaces, place, cgroup, flags: *flags, before }
    }
}

/// What the table knows of a process, whatever a record says.
#[derive(Default)]
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

//! Messages to the kernel's audit: who sent them, and what they tell of a session.

use std::sync::Arc;

use schema::EventType;
use sensor_ebpf::record::{AuditRecord, exec_flags};

use super::Table;
use super::image::set_path;
use crate::event::decode::Audit;
use crate::event::{AuditMessage, Detail, Event, Ids, Image, ProcessKey, UNSET_ID};
use crate::process::observed::{Known, Observed};

impl Table {
    /// A message to the kernel's audit. Its sender is as the table has it, but for what the kernel said of it at that moment.
    pub(super) fn audit(&mut self, audit: &Audit<'_>, time: u64) -> Event {
        let mut fixed = audit.fixed;
        if fixed.process.start == 0 {
            self.complete(&mut fixed);
        }
        let fixed = &fixed;
        let mut message = AuditMessage::new(fixed.message_type, audit.text, fixed.text_bytes as usize, fixed.refusal)
            .within(self.pool.budget);
        if let Some(id) = message.unnamed_account() {
            message.resolve(self.users.name(id));
        }
        set_path(&mut self.path, audit.path, fixed.flags & exec_flags::PATH_CUT != 0);
        if fixed.flags & exec_flags::MEMFD != 0 {
            self.path.clear();
            self.path.extend_from_slice(audit.path);
        }
        if message.refused.is_none() {
            self.logins.learn(fixed.ids.session, &self.path, &message);
            self.take_login(fixed.process, &fixed.ids);
        }
        let known = self.live.get(&fixed.process).or_else(|| self.ended.get(fixed.process)).cloned();
        let facts = match &known {
            Some(known) => Known::of(known),
            None => Known { parent_key: fixed.parent, parent: self.parent(fixed.parent), incident: None },
        };
        let image = match &known {
            Some(known) if audit.path.is_empty() || known.image.path == self.path => Arc::clone(&known.image),
            // It has replaced itself since, or was never seen: the arguments are not known.
            _ => {
                let mut image = Image::default();
                if !audit.path.is_empty() {
                    image.path.clone_from(&self.path);
                }
                const KEPT: u32 = exec_flags::MEMFD | exec_flags::HOST_MOUNTS | exec_flags::USER_MOUNTS;
                image.flags = fixed.flags & KEPT;
                self.pool.charge(&mut image);
                Arc::new(image)
            }
        };
        let process = self.snapshot(&Observed::by_audit(fixed, audit.cgroup), image, facts, known.as_deref());
        let kind = if message.refused.is_none() { EventType::AuditMessage } else { EventType::AuditMessageRefused };
        Event { kind, time, process, detail: Detail::Audit(Arc::new(message)) }
    }

    /// A message of the multicast group comes with the pid alone; the table may know the process that has it now.
    fn complete(&self, fixed: &mut AuditRecord) {
        let pid = fixed.process.tgid;
        if let Some(process) = self.find_pid(pid).or_else(|| self.ended.find_pid(pid)) {
            fixed.process = process.key;
            fixed.parent = process.parent_key;
            fixed.ids =
                Ids { uid: fixed.ids.uid, loginuid: fixed.ids.loginuid, session: fixed.ids.session, ..process.ids };
            fixed.namespaces = process.namespaces;
            fixed.ns_pid = process.ns_pid;
            fixed.place.cgroup_id = process.cgroup_id;
            fixed.tty = process.tty;
        }
    }

    /// A login gives a process its login uid and session without an exec; what it forks from then on has them too.
    fn take_login(&mut self, key: ProcessKey, ids: &Ids) {
        let Some(live) = self.live.get_mut(&key) else { return };
        if ids.session == UNSET_ID || (live.ids.session == ids.session && live.login.is_some()) {
            return;
        }
        // A session that it has by another event's word is the newer one.
        if live.ids.session != UNSET_ID && live.ids.session > ids.session {
            return;
        }
        let login = self.logins.get(ids.session);
        let changed = Arc::make_mut(live);
        changed.ids.loginuid = ids.loginuid;
        changed.ids.session = ids.session;
        changed.login = login;
    }
}

//! What processes do, by records that tell who it was and little else of the process.

use std::sync::Arc;

use schema::EventType;
use sensor_ebpf::record::Actor;

use super::Table;
use crate::event::decode::Act;
use crate::event::{Detail, Event, Image, Process, until_zero};
use crate::process::observed::{Known, Observed};

impl Table {
    /// What a process did, to another one too; none if it tells nothing new.
    pub(super) fn act(&mut self, act: &Act, time: u64) -> Option<Event> {
        if let Detail::Own(own) = &act.detail
            && let Some((kind, group)) = own.of_group()
        {
            return self.container(act, kind, group, time);
        }
        let process = self.now(&act.actor);
        let (mut kind, mut detail) = (act.kind, act.detail.clone());
        if let Detail::Own(own) = &act.detail
            && let Some(whom) = own.whom()
            && let Some(known) = own.with_target(&process, self.now(whom))
        {
            detail = known;
        }
        if let Detail::Own(own) = &act.detail
            && own.is_counted()
            && let Some(counted) = own.with_count(self.crashes.count(&process, time))
        {
            (kind, detail) = counted;
        }
        Some(Event { kind, time, process, detail })
    }

    /// What became of a container. Its process is who did it, with the container that it is about.
    fn container(&mut self, act: &Act, kind: EventType, group: &str, time: u64) -> Option<Event> {
        let container = self.groups.called(group)?;
        if !self.container_lives.is_news(&container.id, kind) {
            return None;
        }
        let mut process = if act.actor.process.tgid == 0 {
            // The kernel does not say: who ended last in it, if that was told by now.
            self.ended.last_in(&container.id).cloned().unwrap_or_default()
        } else {
            self.now(&act.actor)
        };
        let of_it = Arc::make_mut(&mut process);
        (of_it.container, of_it.container_unknown) = (Some(container), false);
        Some(Event { kind, time, process, detail: act.detail.clone() })
    }

    /// A process as the table has it, but for what the kernel said of it at that moment: it may have taken on other ids and
    /// namespaces since.
    fn now(&mut self, actor: &Actor) -> Arc<Process> {
        let known = self.live.get(&actor.process).or_else(|| self.ended.get(actor.process)).cloned();
        match known {
            Some(known) if (known.ids, known.namespaces) == (actor.ids, actor.namespaces) => known,
            known => {
                let (facts, image) = match &known {
                    Some(known) => (Known::of(known), Arc::clone(&known.image)),
                    // It was started while records were lost: what it runs is not known.
                    None => {
                        let mut image = Image { comm: until_zero(&actor.comm).to_vec(), ..Image::default() };
                        self.pool.charge(&mut image);
                        (Known::default(), Arc::new(image))
                    }
                };
                self.snapshot(&Observed::by_actor(actor, known.as_deref()), image, facts, known.as_deref())
            }
        }
    }
}

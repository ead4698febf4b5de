//! Modules of the kernel.

use schema::EventType;
use schema::classes::module as facts;
use sensor_ebpf::record::{ModuleRecord, kind};

use super::{Class, Reader};
use crate::event::build::Draft;
use crate::event::decode::fixed;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Detail, Event, Own, Value, until_zero};

pub(super) const CLASS: Class = Class {
    fields: FIELDS,
    readers: READERS,
    detail: |_, draft| Detail::own(std::mem::take(written(draft))),
    sentence,
};

/// A module that was loaded into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Module {
    pub name: Vec<u8>,
    /// Bits of `/proc/sys/kernel/tainted`.
    pub taints: u64,
}

impl Own for Module {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity()
    }
}

/// Bits of the taints (`TAINT_…` of Linux).
const FORCED: u64 = 1 << 1;
const OUT_OF_TREE: u64 = 1 << 12;
const UNSIGNED: u64 = 1 << 13;

const READERS: &[Reader] = &[Reader {
    record: kind::MODULE,
    event: EventType::ModuleLoad,
    detail: |bytes| {
        let record: ModuleRecord = fixed(bytes)?;
        Ok(Detail::own(Module { name: until_zero(&record.name).to_vec(), taints: record.taints }))
    },
}];

const FIELDS: &[Field] = &[
    of_event(
        &facts::MODULE_NAME,
        |event, _| event.own(|module: &Module| Value::text(&module.name)),
        |d, v| v.put(&mut written(d).name),
    ),
    of_event(
        &facts::MODULE_TAINTS,
        |event, _| event.own(|module: &Module| Value::Int(module.taints.cast_signed())),
        |d, v| {
            written(d).taints |= v.take::<u64>()?;
            Ok(())
        },
    ),
    of_event(
        &facts::IS_MODULE_UNSIGNED,
        |event, _| has(event, UNSIGNED),
        |d, v| {
            let is_so = v.take()?;
            set(d, UNSIGNED, is_so);
            Ok(())
        },
    ),
    of_event(
        &facts::IS_MODULE_OUT_OF_TREE,
        |event, _| has(event, OUT_OF_TREE),
        |d, v| {
            let is_so = v.take()?;
            set(d, OUT_OF_TREE, is_so);
            Ok(())
        },
    ),
    of_event(
        &facts::IS_MODULE_FORCED,
        |event, _| has(event, FORCED),
        |d, v| {
            let is_so = v.take()?;
            set(d, FORCED, is_so);
            Ok(())
        },
    ),
];

fn has(event: &Event, taint: u64) -> Value<'_> {
    event.own(|module: &Module| Value::Bool(module.taints & taint != 0))
}

fn set(draft: &mut Draft, taint: u64, is_so: bool) {
    let written = written(draft);
    if is_so {
        written.taints |= taint;
    }
}

fn written(draft: &mut Draft) -> &mut Module {
    draft.likely(EventType::ModuleLoad);
    draft.part()
}

fn sentence(event: &Event, policy: &str) -> String {
    let program = lossless(&event.process.image.path);
    let name = event.own(|module: &Module| Value::Text(&module.name));
    let Value::Text(name) = name else { return format!("Program {program} violated policy {policy}") };
    format!("Program {program} loaded the module {} into the kernel; policy {policy}", lossless(name))
}

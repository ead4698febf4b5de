//! Modules of the kernel.

use schema::EventType;
use schema::classes::module as facts;
use sensor_ebpf::classes::module::ModuleRecord;

use super::{Act, Class};
use crate::event::build::Draft;
use crate::event::fields::{Field, of_event};
use crate::event::json::lossless;
use crate::event::{Event, Own, Value, until_zero};

pub(super) const CLASS: Class = Class::of_act::<Module>(FIELDS);

/// A module that was loaded into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Module {
    name: Vec<u8>,
    /// Bits of `/proc/sys/kernel/tainted`.
    taints: u64,
}

impl Own for Module {
    fn size(&self) -> usize {
        size_of::<Self>() + self.name.capacity()
    }
}

impl Act for Module {
    type Record = ModuleRecord;
    const EVENT: EventType = EventType::ModuleLoad;

    fn read(record: &ModuleRecord) -> Self {
        Self { name: until_zero(&record.name).to_vec(), taints: record.taints }
    }

    fn sentence(&self, program: &str) -> String {
        format!("Program {program} loaded the module {} into the kernel", lossless(&self.name))
    }
}

/// Bits of the taints (`TAINT_…` of Linux).
const FORCED: u64 = 1 << 1;
const OUT_OF_TREE: u64 = 1 << 12;
const UNSIGNED: u64 = 1 << 13;

const FIELDS: &[Field] = &[
    of_event(
        &facts::MODULE_NAME,
        |event, _| event.own(|module: &Module| Value::text(&module.name)),
        |d, v| v.put(&mut d.act::<Module>().name),
    ),
    of_event(
        &facts::MODULE_TAINTS,
        |event, _| event.own(|module: &Module| Value::Int(module.taints.cast_signed())),
        |d, v| {
            d.act::<Module>().taints |= v.take::<u64>()?;
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
    let module = draft.act::<Module>();
    if is_so {
        module.taints |= taint;
    }
}

//! Modules of the kernel.

use crate::field::{Integer, Role, Type, event, fields};
use crate::{Activity, Class, EventType, Kind, Outcome, PolicyType, Reach, Table};

pub(super) const NAME: &str = "module";

pub(super) static KINDS: &[Kind] = &[Kind {
    is: EventType::ModuleLoad,
    word: "MODULE_EVENT_TYPE_LOAD",
    activity: Some(Activity::KernelExtension),
    outcome: Some(Outcome::Success),
    reach: Reach::Host,
    parts: &[&MODULE_NAME, &MODULE_TAINTS],
}];

pub(super) const POLICY_TYPES: &[PolicyType] =
    &[PolicyType { word: "loadKernelModule", sees: &[EventType::ModuleLoad] }];

/// There is no table of them: they are for policies.
pub(super) static TABLES: &[&Table] = &[];

fields! {
    MODULE_NAME = event(
        Class::Module,
        "moduleName",
        "module_name",
        Type::Text,
        "The name of a module that is loaded into the kernel, as the module itself has it: with `_` for `-`.",
    )
    .role(Role::Object);
    MODULE_TAINTS = event(
        Class::Module,
        "moduleTaints",
        "module_taints",
        Type::Number,
        "What loading a module makes of the kernel, in the bits of /proc/sys/kernel/tainted; 0 for one of the kernel's own.",
    )
    .integers(Integer::Uint64);
    IS_MODULE_UNSIGNED = event(
        Class::Module,
        "isModuleUnsigned",
        "is_module_unsigned",
        Type::Bool,
        "Whether no key that the kernel trusts has signed a module; false where the kernel does not look at signatures.",
    );
    IS_MODULE_OUT_OF_TREE = event(
        Class::Module,
        "isModuleOutOfTree",
        "is_module_out_of_tree",
        Type::Bool,
        "Whether a module was built outside of the kernel's sources. A module says this of itself.",
    );
    IS_MODULE_FORCED = event(
        Class::Module,
        "isModuleForced",
        "is_module_forced",
        Type::Bool,
        "Whether a module was loaded although it is made for another kernel (`modprobe --force`).",
    );
}

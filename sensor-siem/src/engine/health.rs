//! What keeps items from where they should go, as the state keeps it and `/healthz` tells it.

use std::{collections::HashSet, sync::PoisonError};

use diagnostic::printable;

use super::{Engine, now};
use crate::{
    item::Stream,
    source::{Fault, Tenants},
    state::{Change, Failed, FaultRecord},
};

/// What is known of Central as a whole.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Why it is not known which tenants there are.
    fault: Option<Fault>,
    /// Ids of all that there are, those that cannot be read included; none until it is known.
    tenants: Option<HashSet<String>>,
}

impl Engine {
    /// Which tenants there are, or why that is not known.
    pub(super) fn found(&self, found: &Result<Tenants, Fault>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.fault = found.as_ref().err().cloned();
        if let Ok(Tenants { found, faults }) = found {
            let ids = found.iter().map(|tenant| &tenant.id).chain(faults.iter().map(|(id, _)| id));
            known.tenants = Some(ids.cloned().collect());
        }
    }

    /// Tells what keeps items from where they should go. Tenants that are not read any more keep nothing.
    pub(super) fn tell_health(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut troubles: Vec<String> = known.fault.iter().map(|fault| format!("Central: {fault}")).collect();
        let store = self.store();
        for outlet in &self.outlets {
            let name = &outlet.output.name;
            for (place, told) in store.output(name).into_iter().flat_map(|output| &output.faults) {
                let reason = printable(&told.reason);
                match place {
                    None => troubles.push(format!("output {name}: {reason}")),
                    Some((tenant, stream)) if known.tenants.as_ref().is_none_or(|read| read.contains(tenant)) => {
                        let what = format!("{}s of the tenant {}", stream.word(), printable(tenant));
                        troubles.push(format!("output {name}: {what}: {reason}"));
                    }
                    Some(_) => {}
                }
            }
        }
        drop(store);
        self.metrics.set_troubles(troubles);
    }

    /// Keeps that a stream could not be read for an output.
    pub(super) fn keep_fault(&self, output: &str, tenant: &str, stream: Stream, fault: &Fault) {
        self.note_fault(output, tenant, stream, fault);
        self.tell_health();
    }

    /// Keeps that nothing of a tenant could be read.
    pub(super) fn keep_fault_of_tenant(&self, tenant: &str, fault: &Fault) {
        for outlet in &self.outlets {
            for stream in &self.config.streams {
                self.note_fault(&outlet.output.name, tenant, *stream, fault);
            }
        }
        self.tell_health();
    }

    /// Keeps of each stream that an output has read that it could not be read now.
    pub(super) fn keep_fault_of_all(&self, fault: &Fault) {
        for outlet in &self.outlets {
            let name = &outlet.output.name;
            let known: Vec<(String, Stream)> =
                self.store().output(name).map(|output| output.streams.keys().cloned().collect()).unwrap_or_default();
            for (tenant, stream) in known {
                self.note_fault(name, &tenant, stream, fault);
            }
        }
        self.tell_health();
    }

    /// The disk has it at the end of the round, and who asks is told by the caller: with many tenants there are many of these.
    fn note_fault(&self, output: &str, tenant: &str, stream: Stream, fault: &Fault) {
        let told = FaultRecord { at: now(), reason: fault.to_string() };
        let fault = Some(Failed { stream: Some((tenant.to_owned(), stream)), told });
        let change = Change { output: output.to_owned(), fault, ..Change::default() };
        if let Err(error) = self.store().note(change) {
            tracing::error!("{error}");
        }
    }
}

//! A hook, and its programs in the kernel.

use aya::{Btf, Ebpf};
use sensor_ebpf::hooks::{Hook, Kind};

use super::attach;
use super::hooks;
use super::links::Attachment;
use super::programs::State;
use super::{CaptureError, preflight};

/// Of a lower rung.
pub(super) const BETTER: State = State::NotNeeded("a better hook tells it");

/// Of what cannot be had itself.
pub(super) const ALSO: State = State::NotNeeded("another hook tells it too");

/// A hook, and what became of it.
pub(super) struct Place {
    pub(super) hook: &'static Hook,
    pub(super) state: State,
    /// Whether the kernel has its programs.
    pub(super) is_loaded: bool,
    /// Its programs; those at the same place in the order in which they run.
    pub(super) programs: Vec<hooks::Program>,
    /// Of each program, while they are attached.
    pub(super) attachments: Vec<Attachment>,
    /// How often they were attached again.
    pub(super) reattached: u64,
}

impl Place {
    /// Not loaded, and nobody asks for it, unless there is another reason.
    pub(super) fn new(hook: &'static Hook, programs: Vec<hooks::Program>, state: Option<State>) -> Self {
        let state = state.unwrap_or(State::Unwanted);
        Self { hook, state, is_loaded: false, programs, attachments: Vec::new(), reattached: 0 }
    }

    /// Has the kernel take all programs, or none. Of what the sensor can do without, the state tells why it does not.
    pub(super) fn load(&mut self, ebpf: &mut Ebpf, btf: &Btf) -> Result<(), CaptureError> {
        match self.programs.iter().try_for_each(|program| load(ebpf, program, btf)) {
            Ok(()) => {
                self.is_loaded = true;
                self.state = State::Ready;
            }
            Err(reason) if self.hook.required => return Err(refused(self.hook, reason)),
            Err(reason) => {
                self.unload(ebpf);
                self.state = State::NotAvailable(reason);
            }
        }
        Ok(())
    }

    /// The same of a lower rung, when the better one turned out not to serve.
    pub(super) fn load_late(&mut self, ebpf: &mut Ebpf) {
        let loaded = if preflight::may_load() {
            kernel_types().and_then(|btf| self.load(ebpf, &btf)).map_err(|error| error.to_string())
        } else {
            Err("programs can be loaded at the start alone; restart the sensor".to_owned())
        };
        if let Err(reason) = loaded {
            self.state = State::NotAvailable(reason);
        }
    }

    /// Gives programs that are not needed back to the kernel.
    pub(super) fn unload(&mut self, ebpf: &mut Ebpf) {
        for program in &self.programs {
            if let Some(program) = ebpf.program_mut(&program.name) {
                attach::unload(program);
            }
        }
        self.is_loaded = false;
    }

    /// Attaches all programs, or none.
    pub(super) fn attach(&mut self, ebpf: &mut Ebpf) -> Result<(), String> {
        // They are to run in the order in which they run.
        let (last_first, others): (Vec<_>, Vec<_>) =
            self.programs.iter().partition(|program| attach::runs_last_first(program.point.kind));
        let reversed = last_first.len();
        let attached = last_first.into_iter().rev().chain(others).map(|program| attach(ebpf, program));
        self.attachments = attached.collect::<Result<Vec<_>, _>>()?;
        // As their programs are.
        if let Some(last_first) = self.attachments.get_mut(..reversed) {
            last_first.reverse();
        }
        self.state = State::Attached;
        Ok(())
    }

    /// Detaches all programs; the first one last, as another would tell what it does not, and count it as missed.
    pub(super) fn detach(&mut self) {
        for attachment in self.attachments.drain(..).rev() {
            // The descriptor of one that is gone is not the sensor's to close.
            if attachment.is_gone() {
                attachment.forget();
            }
        }
    }
}

fn load(ebpf: &mut Ebpf, program: &hooks::Program, btf: &Btf) -> Result<(), String> {
    attach::load(ebpf.program_mut(&program.name).ok_or("not in the object")?, program.point, btf)
}

fn attach(ebpf: &mut Ebpf, program: &hooks::Program) -> Result<Attachment, String> {
    let loaded = ebpf.program_mut(&program.name).ok_or("not in the object")?;
    attach::attach(loaded, program.point.kind).map(Attachment::new)
}

/// What programs attach to. It takes 20 MB.
pub(super) fn kernel_types() -> Result<Btf, CaptureError> {
    Btf::from_sys_fs().map_err(|error| CaptureError::Object(error.to_string()))
}

/// The places of the lower rungs that may have to serve in the stead of one that is loaded and not attached. Where one function
/// can be had others can, and any tracepoint that programs were loaded for.
pub(super) fn spares(places: &[Place]) -> Vec<usize> {
    let is_at_function = |place: &&Place| matches!(place.hook.point.kind, Kind::Entry | Kind::Return);
    if places.iter().filter(is_at_function).any(|place| place.state == State::Attached) {
        return Vec::new();
    }
    let may_fail = |source| {
        let of_source = places.iter().filter(|place| place.hook.source == source && place.is_loaded);
        of_source.filter(is_at_function).any(|place| place.state == State::Unwanted)
    };
    let is_spare = |place: &Place| !place.is_loaded && place.state == State::Unwanted && may_fail(place.hook.source);
    places.iter().enumerate().filter(|(_, place)| is_spare(place)).map(|(index, _)| index).collect()
}

pub(super) fn refused(hook: &Hook, reason: String) -> CaptureError {
    CaptureError::Program { name: hook.source.name(), hook: hook.point.name, reason }
}

#[cfg(test)]
mod tests {
    use sensor_ebpf::classes::Source;
    use sensor_ebpf::hooks::HOOKS;

    use super::*;

    /// The hook of this rung.
    fn place(source: Source, rung: u32, state: State, is_loaded: bool) -> Place {
        let hook = HOOKS.iter().find(|hook| hook.source == source && hook.rung == rung).unwrap();
        Place { is_loaded, ..Place::new(hook, Vec::new(), Some(state)) }
    }

    /// What changes credentials is told by a function or, one rung lower, by a tracepoint.
    fn unasked(of_audit: State) -> [Place; 4] {
        [
            place(Source::Audit, 1, of_audit, true),
            place(Source::Audit, 2, BETTER, false),
            place(Source::CredentialChange, 1, State::Unwanted, true),
            place(Source::CredentialChange, 2, State::Unwanted, false),
        ]
    }

    #[test]
    fn what_functions_tell_needs_no_lower_rung_where_functions_can_be_had() {
        assert_eq!(spares(&unasked(State::Attached)), [0; 0]);
    }

    #[test]
    fn what_may_turn_out_not_to_be_had_has_its_lower_rung_loaded() {
        assert_eq!(spares(&unasked(State::NotAvailable("no".to_owned()))), [3]);
        // What is loaded already needs no other.
        let mut places = unasked(State::NotAvailable("no".to_owned()));
        places[3].is_loaded = true;
        assert_eq!(spares(&places), [0; 0]);
        // Nor what was refused.
        let mut places = unasked(State::NotAvailable("no".to_owned()));
        places[3].state = State::NotAvailable("refused".to_owned());
        assert_eq!(spares(&places), [0; 0]);
    }
}

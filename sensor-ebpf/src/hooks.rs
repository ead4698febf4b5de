//! Where programs attach, and what each place tells: the agent attaches them, and says which ones the running kernel offers.
//!
//! The same may be told at several places: hooks of one source are the rungs of a ladder, best first, and the first that can be
//! attached serves.

use crate::classes::{self, Source};

/// A sort of place. Each needs type information of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tracepoint with typed arguments (`tp_btf`): Linux 5.5. The rights that loading takes are enough for it, unlike for
    /// a tracepoint by way of `perf_event_open`.
    Tracepoint,
    /// The entry of a kernel function (`fentry`): Linux 5.5, on x86-64, where the kernel allows it.
    Entry,
    /// The return of a kernel function (`fexit`): Linux 5.5, on x86-64, where the kernel allows it.
    Return,
    /// A walk by the kernel over all of a sort (`iter`), Linux 5.8; runs only when it is read.
    Iterator,
}

/// A place where a program attaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub kind: Kind,
    /// The tracepoint, the function, what is walked over.
    pub target: &'static str,
    /// As it is shown: `tp_btf/sched_process_exec`.
    pub name: &'static str,
}

/// A [`Point`] by the sort and the target.
macro_rules! point {
    (tp_btf $target:literal) => {
        $crate::hooks::Point {
            kind: $crate::hooks::Kind::Tracepoint,
            target: $target,
            name: concat!("tp_btf/", $target),
        }
    };
    (fentry $target:literal) => {
        $crate::hooks::Point { kind: $crate::hooks::Kind::Entry, target: $target, name: concat!("fentry/", $target) }
    };
    (fexit $target:literal) => {
        $crate::hooks::Point { kind: $crate::hooks::Kind::Return, target: $target, name: concat!("fexit/", $target) }
    };
    (iter $target:literal) => {
        $crate::hooks::Point { kind: $crate::hooks::Kind::Iterator, target: $target, name: concat!("iter/", $target) }
    };
}
pub(crate) use point;

/// A hook and the program that serves it.
#[derive(Clone, Copy, Debug)]
pub struct Hook {
    /// What it tells, of which class, and so into which ring.
    pub source: Source,
    /// The program's name in the object. That of the second of its kind ends in `_2`, and so on.
    pub program: &'static str,
    /// Where it attaches.
    pub point: Point,
    /// Where else, if one place does not see all of it: they are attached together, or none is.
    pub beside: &'static [Beside],
    /// Its place on the ladder of its source: 1 is the best.
    pub rung: u32,
    /// Whether a run that the kernel leaves out, as the program is running on that CPU already, can be an event's. If so there
    /// are several programs for it, see the kernel side's `replicas`.
    pub recursion_loses: bool,
    /// Whether the sensor is blind without it.
    pub required: bool,
    /// What it cannot do without, by the names in [`FACTS`](crate::offsets::FACTS); there are kernels without.
    pub needs: &'static [&'static str],
    /// What is not seen, or not known, where it is not to be had and only lower rungs, or none, serve.
    pub missed: Option<&'static str>,
    /// What it tells besides, where that has no hook that can be had.
    pub also: Option<Source>,
}

/// A further place of a hook, and the program that serves it.
#[derive(Clone, Copy, Debug)]
pub struct Beside {
    pub program: &'static str,
    pub point: Point,
    /// Without this fact there is no such place, and nothing happens there: calls of 32 bits, say.
    pub only_with: Option<&'static str>,
}

impl Beside {
    pub(crate) const fn new(program: &'static str, point: Point) -> Self {
        Self { program, point, only_with: None }
    }

    pub(crate) const fn only_with(self, fact: &'static str) -> Self {
        Self { only_with: Some(fact), ..self }
    }
}

impl Hook {
    /// The best of its source, which the sensor can do without.
    pub(crate) const fn new(source: Source, program: &'static str, point: Point) -> Self {
        Self {
            source,
            program,
            point,
            beside: &[],
            rung: 1,
            recursion_loses: true,
            required: false,
            needs: &[],
            missed: None,
            also: None,
        }
    }

    /// The sensor is blind without it, so that every kernel that it runs on has it.
    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(crate) const fn rung(self, rung: u32) -> Self {
        Self { rung, ..self }
    }

    pub(crate) const fn beside(self, beside: &'static [Beside]) -> Self {
        Self { beside, ..self }
    }

    pub(crate) const fn needs(self, needs: &'static [&'static str]) -> Self {
        Self { needs, ..self }
    }

    pub(crate) const fn missed(self, missed: &'static str) -> Self {
        Self { missed: Some(missed), ..self }
    }

    pub(crate) const fn also(self, also: Source) -> Self {
        Self { also: Some(also), ..self }
    }

    /// Whether there are [`REPLICAS`](crate::classes::REPLICAS) programs for it, where tasks are preempted in the middle of one.
    /// The walk of an iterator is its reader's alone.
    #[must_use]
    pub const fn is_replicated(&self) -> bool {
        self.recursion_loses && !matches!(self.point.kind, Kind::Iterator)
    }
}

/// All hooks, in the order of attaching.
pub const HOOKS: [Hook; crate::total(classes::HOOKS)] = crate::concat(classes::HOOKS, classes::HOOKS[0][0]);

//! Loads and attaches the programs, and knows how each fares.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use aya::maps::{Map, MapData, PerCpuArray, RingBuf};
use aya::programs::{Iter, Program, ProgramError};
use aya::{Ebpf, EbpfLoader};
use sensor_ebpf::areas;
use sensor_ebpf::classes::process::BASELINE;
use sensor_ebpf::classes::{Class, Classes, Source};
use sensor_ebpf::hooks::{HOOKS, Hook, Kind};
use sensor_ebpf::rings::Ring;

use super::attach::with_causes;
use super::counters::{self, Counted, Words};
use super::hooks;
use super::links::{Attachment, Reattached};
use super::offsets::Table;
use super::place::{ALSO, BETTER, Place, kernel_types, refused, spares};
use super::{CaptureError, OBJECT, Options, cast};

/// What became of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Events arrive.
    Attached,
    /// Loaded, and run on demand.
    Ready,
    /// This kernel does not offer it.
    NotAvailable(String),
    /// Another hook tells the same on this kernel, or the options leave it out.
    NotNeeded(&'static str),
    /// Neither a policy nor a table asks for what it tells. Of a ladder, the rung is loaded that serves when one does.
    Unwanted,
    /// Detached by request.
    Detached,
    /// Detached by somebody else, and not to be attached again: why.
    Lost(String),
}

impl fmt::Display for State {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Attached => to.write_str("attached"),
            Self::Ready => to.write_str("ready"),
            Self::NotAvailable(why) => write!(to, "not available here: {why}"),
            Self::NotNeeded(why) => write!(to, "not needed: {why}"),
            Self::Unwanted => to.write_str("not attached: no policy and no table asks for it"),
            Self::Detached => to.write_str("detached"),
            Self::Lost(why) => write!(to, "detached from outside, and cannot be attached again: {why}"),
        }
    }
}

/// A hook, the program that serves it, and how it fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramStatus {
    /// What it tells.
    pub source: Source,
    /// Where it is attached: the rung of its ladder that is in use.
    pub hook: &'static str,
    /// Which of the possible hooks of this name it is: 1 is the best.
    pub rung: u32,
    pub state: State,
    /// The kernel's id of the program.
    pub id: Option<u32>,
    /// How often it ran, and for how long it and those that tell what it misses, if `kernel.bpf_stats_enabled` is set.
    pub run_count: u64,
    pub run_time_ns: u64,
    /// Runs of the first program that the kernel left out because it was running already on that CPU (Linux 5.12).
    pub recursion_misses: u64,
    /// Whether these can have been events; otherwise the program was left out where there was nothing for it to tell.
    pub recursion_loses: bool,
    /// How often it was detached from outside and attached again.
    pub reattached: u64,
}

impl ProgramStatus {
    /// Events lost because the program was running already on that CPU. `counted` must not be older than this. What two
    /// programs told is taken for a miss made good, so there can be a few more.
    #[must_use]
    pub fn lost_to_recursion(&self, counted: &[Counted]) -> u64 {
        if !self.recursion_loses {
            return 0;
        }
        let of_source = counted.iter().find(|counted| counted.source == self.source);
        self.recursion_misses.saturating_sub(of_source.map_or(0, |counted| counted.counters.made_good))
    }
}

/// The loaded object.
pub(super) struct Loaded {
    ebpf: Ebpf,
    counters: PerCpuArray<MapData, Words>,
    /// Programs at a place that has several.
    replicas: u32,
    /// In the order of [`HOOKS`].
    places: Vec<Place>,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let states = self.places.iter().map(|place| (place.hook.point.name, &place.state));
        to.debug_map().entries(states).finish()
    }
}

impl Loaded {
    /// Creates the maps and loads the programs, of each ladder the best rung that the kernel takes. Those of what nobody asks for
    /// yet are among them: a later configuration may ask, and then the right to load programs is gone.
    pub(super) fn new(table: &Table, options: &Options) -> Result<Self, CaptureError> {
        let (at_tracepoints, at_functions) = (options.replicas_at(Kind::Tracepoint), options.replicas_at(Kind::Return));
        let replicas = at_tracepoints.max(at_functions);
        // The object has no relocations against the kernel's types, which the loader reads at once for that. They take
        // 20 MB: they are let go of before they are read for finding the hooks.
        let mut loader = EbpfLoader::new();
        loader
            .btf(None)
            .override_global("OFFSETS", table.words(), true)
            .map_max_entries("THREADS", options.known_threads)
            .map_max_entries("SCRATCH", areas::count(at_tracepoints, at_functions));
        for ring in Ring::ALL {
            loader.map_max_entries(ring.map(), options.ring_size(ring));
        }
        let mut ebpf =
            loader.load(&cast::object(OBJECT, table)).map_err(|error| CaptureError::Object(with_causes(&error)))?;
        let btf = kernel_types()?;
        let mut places: Vec<Place> = Vec::with_capacity(HOOKS.len());
        for hook in &HOOKS {
            let skipped = hooks::skip(hook, table, options);
            let has_better = places.iter().any(|other| other.is_loaded && other.hook.source == hook.source);
            let is_wanted = skipped.is_none() && !has_better;
            let mut place = Place::new(hook, hooks::programs(hook, table, options), skipped);
            if is_wanted {
                place.load(&mut ebpf, &btf)?;
            }
            places.push(place);
        }
        let counters = take_map(&mut ebpf, "COUNTERS")?;
        if let Map::PerCpuArray(map) = &counters
            && let Err(error) = super::freeze::freeze(map.fd().as_fd())
        {
            tracing::debug!("the counters stay writable for others with rights on eBPF: {error}");
        }
        let counters = PerCpuArray::try_from(counters)
            .map_err(|error| CaptureError::Map { name: "COUNTERS", reason: error.to_string() })?;
        Ok(Self { ebpf, counters, replicas, places })
    }

    /// Attaches what tells of these classes and runs by itself, and detaches the rest; of a ladder, the best rung that can be
    /// had serves.
    pub(super) fn attach(&mut self, wanted: Classes) -> Result<(), CaptureError> {
        let mut new = Classes::NONE;
        for index in 0..self.places.len() {
            let (better, rest) = self.places.split_at_mut(index);
            let Some(place) = rest.first_mut() else { break };
            if place.hook.point.kind == Kind::Iterator {
                continue;
            }
            if !wanted.has(place.hook.source.class()) {
                if matches!(place.state, State::Ready | State::Attached | BETTER) {
                    place.detach();
                    place.state = State::Unwanted;
                }
                continue;
            }
            if !matches!(place.state, State::Ready | State::Unwanted) {
                continue;
            }
            if better.iter().any(|other| other.hook.source == place.hook.source && other.state == State::Attached) {
                place.state = BETTER;
                place.unload(&mut self.ebpf);
                continue;
            }
            if !place.is_loaded {
                // The better one was loaded, and cannot be attached.
                place.load_late(&mut self.ebpf);
            }
            if !place.is_loaded {
                continue;
            }
            match place.attach(&mut self.ebpf) {
                Ok(()) => new = new.with(place.hook.source.class()),
                Err(reason) if !place.hook.required => {
                    place.unload(&mut self.ebpf);
                    place.state = State::NotAvailable(reason);
                }
                Err(reason) => return Err(refused(place.hook, reason)),
            }
        }
        self.settle();
        self.walk(new);
        Ok(())
    }

    /// What another hook tells besides has no need of one that cannot be had.
    fn settle(&mut self) {
        let serves = |place: &&Place| matches!(place.state, State::Ready | State::Attached);
        let told: Vec<_> = self.places.iter().filter(serves).filter_map(|place| place.hook.also).collect();
        for place in &mut self.places {
            if matches!(place.state, State::NotAvailable(_)) && told.contains(&place.hook.source) {
                place.state = ALSO;
            }
        }
    }

    /// Loads the next rungs of what nobody asks for yet, where it is not known that functions can be had: whether the one that is
    /// loaded can be attached will show when somebody asks, and then no other can be loaded any more.
    pub(super) fn load_spares(&mut self) {
        for index in spares(&self.places) {
            let Some(place) = self.places.get_mut(index) else { break };
            place.load_late(&mut self.ebpf);
            if place.is_loaded {
                place.state = State::Unwanted;
            }
        }
    }

    /// Runs the walks that tell the programs of these classes what was there before them. One that fails is not to be had.
    fn walk(&mut self, classes: Classes) {
        let is_walk = |place: &&mut Place| {
            let hook = place.hook;
            hook.point.kind == Kind::Iterator && hook.program != BASELINE && classes.has(hook.source.class())
        };
        for place in self.places.iter_mut().filter(is_walk).filter(|place| place.state == State::Ready) {
            if let Err(reason) = walk(&mut self.ebpf, place.hook.program) {
                place.state = State::NotAvailable(reason);
            }
        }
    }

    /// Looks whether everything is still attached, and attaches again what somebody detached. Returns what is new: what
    /// stays lost is told once.
    pub(super) fn recheck(&mut self) -> Vec<Reattached> {
        let mut news = Vec::new();
        for place in &mut self.places {
            if !place.attachments.iter().any(Attachment::is_gone) && !matches!(place.state, State::Lost(_)) {
                continue;
            }
            // All of them: they run in the order in which they were attached.
            place.detach();
            let outcome = match place.attach(&mut self.ebpf) {
                Ok(()) => {
                    place.reattached += 1;
                    Ok(())
                }
                Err(reason) => {
                    let known = State::Lost(reason.clone());
                    if std::mem::replace(&mut place.state, known.clone()) == known {
                        continue;
                    }
                    Err(reason)
                }
            };
            news.push(Reattached { source: place.hook.source, hook: place.hook.point.name, outcome });
        }
        news
    }

    pub(super) fn detach(&mut self) {
        self.detach_those(|_| true);
    }

    /// Detaches the hooks of a class, which stay loaded.
    pub(super) fn detach_class(&mut self, class: Class) {
        self.detach_those(|hook| hook.source.class() == class);
    }

    /// Attaches the hooks of a class again that were detached.
    pub(super) fn attach_class(&mut self, class: Class) -> Result<(), CaptureError> {
        for place in &mut self.places {
            if place.hook.source.class() == class && place.state == State::Detached {
                place.attach(&mut self.ebpf).map_err(|reason| refused(place.hook, reason))?;
            }
        }
        Ok(())
    }

    fn detach_those(&mut self, wanted: impl Fn(&Hook) -> bool) {
        for place in self.places.iter_mut().filter(|place| wanted(place.hook) && !place.attachments.is_empty()) {
            place.detach();
            place.state = State::Detached;
        }
    }

    /// The task iterator, if it is loaded.
    pub(super) fn iterator(&mut self) -> Result<&mut Iter, CaptureError> {
        let state = self.places.iter().find(|place| place.hook.program == BASELINE).map(|place| &place.state);
        if let Some(State::NotAvailable(why)) = state {
            return Err(CaptureError::Baseline(why.clone()));
        }
        self.ebpf
            .program_mut(BASELINE)
            .ok_or_else(|| CaptureError::Baseline("not in the object".to_owned()))?
            .try_into()
            .map_err(|error: ProgramError| CaptureError::Baseline(error.to_string()))
    }

    pub(super) fn counters(&self) -> Result<Vec<Counted>, CaptureError> {
        counters::read(&self.counters, self.replicas)
    }

    pub(super) fn take_map(&mut self, name: &'static str) -> Result<Map, CaptureError> {
        take_map(&mut self.ebpf, name)
    }

    pub(super) fn take_ring(&mut self, ring: Ring) -> Result<RingBuf<MapData>, CaptureError> {
        let name = ring.map();
        RingBuf::try_from(self.take_map(name)?).map_err(|error| CaptureError::Map { name, reason: error.to_string() })
    }

    /// Whether a hook was detached from outside and could not be attached again.
    pub(super) fn lacks_hooks(&self) -> bool {
        self.places.iter().any(|place| matches!(place.state, State::Lost(_)))
    }

    pub(super) fn status(&self) -> Vec<ProgramStatus> {
        self.places.iter().map(|place| self.status_of(place)).collect()
    }

    fn status_of(&self, place: &Place) -> ProgramStatus {
        let hook = place.hook;
        let loaded = |program: &hooks::Program| self.ebpf.program(&program.name);
        let info = |program| loaded(program)?.info().ok();
        let firsts = || place.programs.iter().filter(|program| program.is_first);
        let run_time: Duration = place.programs.iter().filter_map(info).map(|info| info.run_time()).sum();
        ProgramStatus {
            source: hook.source,
            hook: hook.point.name,
            rung: hook.rung,
            state: place.state.clone(),
            id: firsts().next().and_then(info).map(|info| info.id()),
            run_count: firsts().filter_map(info).map(|info| info.run_count()).sum(),
            run_time_ns: u64::try_from(run_time.as_nanos()).unwrap_or(u64::MAX),
            recursion_misses: firsts().filter_map(loaded).map(recursion_misses).sum(),
            recursion_loses: hook.recursion_loses,
            reattached: place.reattached,
        }
    }
}

/// aya does not pass this number on; the kernel tells it in the descriptor's `fdinfo` as well.
fn recursion_misses(program: &Program) -> u64 {
    let Ok(fd) = program.fd() else { return 0 };
    let path = format!("/proc/self/fdinfo/{}", fd.as_fd().as_raw_fd());
    fs::read_to_string(path)
        .ok()
        .and_then(|info| info.lines().find_map(|line| line.strip_prefix("recursion_misses:"))?.trim().parse().ok())
        .unwrap_or(0)
}

fn take_map(ebpf: &mut Ebpf, name: &'static str) -> Result<Map, CaptureError> {
    ebpf.take_map(name).ok_or_else(|| CaptureError::Map { name, reason: "not there, or taken before".to_owned() })
}

/// Has an iterator's program run over all that there is. What it writes is for the other programs.
fn walk(ebpf: &mut Ebpf, name: &str) -> Result<(), String> {
    let program: &mut Iter = ebpf
        .program_mut(name)
        .ok_or("not in the object")?
        .try_into()
        .map_err(|error: ProgramError| error.to_string())?;
    let link = program.attach().and_then(|link| program.take_link(link)).map_err(|error| with_causes(&error))?;
    let mut file = link.into_file().map_err(|error| with_causes(&error))?;
    io::copy(&mut file, &mut io::sink()).map(|_| ()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use sensor_ebpf::counters::ProgramCounters;

    use super::*;

    #[test]
    fn what_a_later_program_saw_is_not_lost() {
        let status = |recursion_misses, recursion_loses| ProgramStatus {
            source: Source::Exec,
            hook: "",
            rung: 1,
            state: State::Attached,
            id: None,
            run_count: 0,
            run_time_ns: 0,
            recursion_misses,
            recursion_loses,
            reattached: 0,
        };
        let counted = |source, made_good| Counted {
            source,
            counters: ProgramCounters { made_good, ..ProgramCounters::default() },
        };
        let counted = [counted(Source::Fork, 9), counted(Source::Exec, 3)];
        assert_eq!(status(5, true).lost_to_recursion(&counted), 2);
        assert_eq!(status(2, true).lost_to_recursion(&counted), 0);
        assert_eq!(status(5, true).lost_to_recursion(&[]), 5);
        assert_eq!(status(5, false).lost_to_recursion(&counted), 0);
    }
}

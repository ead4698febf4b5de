//! The running sensor: starts everything in the right order, reloads, stops.
//!
//! ```text
//! configuration ─▶ plan ─▶ run directory ─▶ kernel programs ─▶ baseline ─▶ capabilities dropped ─▶ threads
//! ```
//!
//! Capabilities belong to threads, so every thread is started after they were dropped.

mod inventory;
mod kernel;
mod last_run;
mod metrics_endpoint;
mod processes;
mod reload;
mod responding;
mod scheduling;
pub mod self_check;
mod show;
mod state;
mod status;
mod tamper;
mod top;
mod watchdog;

use budget::Budget;
use clock::{boot_now, unix_now};
use delivery::open_error::OpenError;
use diagnostic::Report;
use settings::Environment;
pub use watchdog::CANARY;

use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use state::StateFolder;
use tamper::Tamper;
use watchdog::Watchdog;

use crate::alert::Alert;
use crate::capture::preflight::BTF;
use crate::capture::{Capture, CaptureError, Drain, DrainOptions, Options as CaptureOptions};
use crate::config::{Config, Paths};
use crate::control::{ClaimError, Handler, Inventory, Query, Reload, RunDirectory, Server, Stage, Status, Update};
use crate::engine::{Accounts, Engine, EngineStatus, Parts, Request};
use crate::event::decode::decode;
use crate::event::{Process, ProcessKey};
use crate::live::Subject;
use crate::output::{Dispatcher, Sinks, tell_of_orphaned_spools};
use crate::plan::{Plan, plan};
use crate::privilege::{self, DropError, Duty, Kept};
use crate::process::baseline::{Baseline, CommandLines};
use crate::process::mounts::HostMounts;
use crate::process::unlisted::Unlisted;
use crate::process::users::Users;
use crate::process::{HostPlace, Lookups, MAX_PROCESSES, Table};

/// Requests that may wait for the engine.
const REQUESTS: usize = 16;

/// How long the engine may take for an answer.
const ANSWER: Duration = Duration::from_secs(5);
/// That it did not.
const NO_ANSWER: &str = "the engine does not answer; the sensor is ending or overloaded";

/// The rule that the alert on an unusable state directory names.
const STATE_NOT_KEPT: &str = "the state directory cannot be used";

/// A sensor that runs.
pub struct Sensor {
    shared: Arc<Shared>,
    /// None once it was stopped.
    running: Option<Running>,
}

/// What the threads of the control socket see of the sensor.
struct Shared {
    paths: Paths,
    environment: Environment,
    state: StateFolder,
    capture: Mutex<Capture>,
    engine: Sender<Request>,
    outputs: Arc<Dispatcher>,
    sinks: Arc<Sinks>,
    kept: Kept,
    started: Instant,
    /// How the canaries went.
    canary: watchdog::Record,
    /// Who is asked for containers.
    containers: Lookups,
    /// What is watched for meddling.
    tamper: Mutex<Tamper>,
    /// Whether `use_resource_limits` is on.
    limited: AtomicBool,
    /// Whether `send_labs_telemetry` is on.
    statistics: AtomicBool,
    /// Where metrics are offered.
    metrics_endpoint: metrics_endpoint::MetricsEndpoint,
    /// How audit messages are caught, from the start to the end.
    audit: crate::config::Audit,
    /// Whether policies may act, from the start to the end.
    responds: bool,
    /// The configuration in force and how the last reload went.
    configuration: Mutex<crate::control::status::Configuration>,
    /// What it says, with nothing having come of it.
    inventory: Mutex<Inventory>,
}

struct Running {
    watchdog: Watchdog,
    server: Server,
    drain: Drain,
    engine: JoinHandle<()>,
}

/// Why the sensor does not start. The texts are for whoever started it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    RunDirectory(#[from] ClaimError),
    #[error("{0}")]
    State(String),
    #[error(
        "{}: another sensor{} keeps its state there; give this one a folder of its own with -state-dir",
        folder.display(), pid.map_or_else(String::new, |pid| format!(" (pid {pid})"))
    )]
    StateTaken { folder: PathBuf, pid: Option<u32> },
    #[error(
        "{}: as state directory it must belong to root or to the sensor's user; it belongs to uid {uid}, who could put \
         alerts and an id of their own there. Change its owner, or name another with -state-dir",
        folder.display()
    )]
    StateOwner { folder: PathBuf, uid: u32 },
    #[error(
        "{}: as state directory it must not be writable for others, who could put alerts and an id of their own there; \
         its mode is {mode:o}. Take that away with chmod go-w, or name another with -state-dir",
        folder.display()
    )]
    StateWritable { folder: PathBuf, mode: u32 },
    #[error(transparent)]
    Capture(#[from] CaptureError),
    #[error(transparent)]
    Privileges(#[from] DropError),
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Outputs(Vec<OpenError>),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// Reads and compiles the configuration. What is wrong goes to the report.
#[must_use]
pub fn configure(paths: &Paths, environment: &Environment, report: &mut Report) -> (Config, Plan) {
    let config = crate::config::load(paths, environment, report);
    let plan = plan(&config, report);
    (config, plan)
}

impl Sensor {
    /// Starts the sensor with a configuration that was found to be right, which is let go when all stands: the texts of all
    /// detections and lists are of no use to what runs.
    ///
    /// # Errors
    /// The host lacks something, or something is in the way.
    pub fn start(paths: Paths, environment: Environment, config: Config, plan: Plan) -> Result<Self, StartError> {
        let started = Instant::now();
        // Rights before folders and locks: who lacks them is not helped by another folder.
        crate::capture::may_start(Path::new(BTF))?;
        scheduling::never_interrupt_others();
        let run_dir = RunDirectory::claim(&config.locations.run_dir)?;
        let state_dir = &config.locations.state_dir;
        let (state, mut host) = StateFolder::claim(state_dir)?;
        if config.use_resource_limits {
            crate::limits::hold();
        }

        let inventory = inventory::of(&config, &plan);
        let options = CaptureOptions {
            failed_execs: plan.setup.failed_execs(),
            files: plan.setup.files(),
            classes: plan.setup.classes(),
            ..capture_options(&config)
        };
        let mut capture = Capture::start(&options)?;
        let attached = boot_now();
        for sentence in capture.unseen() {
            tracing::warn!("{sentence}");
        }
        let baseline = capture.baseline()?;
        // What only `/proc` tells of other users' processes takes capabilities that are dropped next.
        let walked = || baseline.tasks.records().filter_map(|bytes| decode(bytes).ok());
        let unlisted = Unlisted::read(walked());
        let records = || walked().chain(unlisted.records());
        let command_lines = CommandLines::read(records());
        let host_place = HostPlace::find(records());
        let mounts = HostMounts::open();
        let duties: &[Duty] = if config.response.enabled { &[Duty::UseMaps, Duty::Respond] } else { &[Duty::UseMaps] };
        let kept = privilege::drop_to_runtime(duties)?;

        let budget = Budget::of_sensor();
        budget.set_limit(config.memory_budget);
        let users = Users::start().map_err(StartError::Thread)?;
        let containers = Lookups::start(config.crisensor.lookups()).map_err(StartError::Thread)?;
        let mut table =
            Table::new(MAX_PROCESSES, users).with_containers(containers.clone()).with_mounts(mounts).within(budget);
        table.set_host(host_place);
        let pending = Baseline::load(&mut table, records(), &command_lines, attached, baseline.finished, unix_now());
        let own = own_process(&table);
        host.sensor = own_key(&own);
        match host.sensor {
            Some(sensor) => capture.know_sensor(sensor.tgid),
            None => {
                tracing::info!("this process's id on the host is not known: who gets at its BPF programs is not seen")
            }
        }
        let host = Arc::new(host);

        tell_of_orphaned_spools(&state_dir.join("spool"), &plan.outputs, &plan.sinks);
        let outputs = Arc::new(Dispatcher::start_within(budget, plan.outputs).map_err(StartError::Outputs)?);
        let sinks = Arc::new(Sinks::start_within(budget, plan.sinks).map_err(StartError::Outputs)?);
        let drain = capture.drain(&DrainOptions::default())?;
        let (engine, requests) = bounded(REQUESTS);
        let configuration = status::configuration(&config);
        let shared = Arc::new(Shared {
            paths,
            environment,
            state,
            capture: Mutex::new(capture),
            engine,
            outputs: Arc::clone(&outputs),
            sinks: Arc::clone(&sinks),
            kept,
            started,
            canary: watchdog::Record::default(),
            containers,
            tamper: Mutex::new(Tamper::new(&config)),
            limited: AtomicBool::new(config.use_resource_limits),
            statistics: AtomicBool::new(config.send_labs_telemetry),
            metrics_endpoint: metrics_endpoint::MetricsEndpoint::default(),
            audit: config.audit,
            responds: config.response.enabled,
            configuration: Mutex::new(configuration),
            inventory: Mutex::new(inventory),
        });
        let losses = Box::new(kernel::Losses::new(Arc::clone(&shared)));
        let known_host = Arc::clone(&host);
        let accounts = Accounts::open(state_dir).map_err(StartError::Thread)?;
        let responder = responding::start(&config, &shared, &host, &own).map_err(StartError::Thread)?;
        let accounts = Some(accounts);
        let parts = Parts { host, own, table, outputs, sinks, losses, budget, accounts, responder };
        let engine = Engine::new(parts, plan.setup);
        let (batches, recycler) = (drain.batches(), drain.recycler());
        let engine = std::thread::Builder::new()
            .name("engine".into())
            .spawn(move || engine.run(&batches, &requests, |batch| recycler.recycle(batch), Some(pending)))
            .map_err(StartError::Thread)?;
        let handler: Arc<dyn Handler> = Arc::new(Arc::clone(&shared));
        let server = Server::start(run_dir, handler).map_err(StartError::Thread)?;
        // A start that came to nothing is no run.
        if let Some(policy) = shared.state.begin() {
            let _ = shared.engine.send(Request::Tell(Box::new(policy), "the last run has no orderly end"));
        }
        if let Some(policy) = shared.state.look() {
            tracing::error!("{}", policy.description);
            let _ = shared.engine.send(Request::Tell(Box::new(policy), STATE_NOT_KEPT));
        }
        metrics_endpoint::open(&shared, &config);
        let watchdog = Watchdog::start(Arc::clone(&shared), known_host).map_err(StartError::Thread)?;
        if let Err(error) = config.write_merged(&config.locations.run_dir) {
            tracing::warn!("the merged configuration was not written: {error}");
        }
        drop(config);
        give_memory_back();
        Ok(Self { shared, running: Some(Running { watchdog, server, drain, engine }) })
    }

    /// Reads the configuration again; the one in force stays if it is refused.
    pub fn reload(&self) -> Reload {
        reload::reload(&self.shared)
    }

    /// The self check; see [`Handler::test_alert`].
    pub fn test_alert(&self, report: &mut dyn FnMut(Stage)) {
        self_check::run(&self.shared, report);
    }

    /// Detaches, works off what was captured, and lets the outputs send what waits.
    ///
    /// `by` is who asked for it, for the next start to tell.
    pub fn stop(mut self, by: &str) {
        self.end(by);
    }

    fn end(&mut self, by: &str) {
        let Some(Running { watchdog, server, drain, engine }) = self.running.take() else { return };
        drop(watchdog);
        self.shared.metrics_endpoint.close();
        drop(server);
        self.shared.capture().detach();
        // Ends with everything that the ring held handed on.
        drain.finish();
        let _ = self.shared.engine.send(Request::Stop);
        if engine.join().is_err() {
            tracing::error!("the engine ended in a panic");
        }
        self.shared.state.end(by);
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.end("the sensor itself");
    }
}

impl Shared {
    fn capture(&self) -> MutexGuard<'_, Capture> {
        self.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn engine_status(&self) -> Option<EngineStatus> {
        self.ask(Request::Status).ok()
    }

    /// Asks the engine.
    ///
    /// # Errors
    /// It does not answer: what to say then.
    fn ask<T>(&self, request: impl FnOnce(Sender<T>) -> Request) -> Result<T, String> {
        let (reply, answer) = bounded(1);
        let asked = self.engine.send(request(reply)).ok();
        asked.and_then(|()| answer.recv_timeout(ANSWER).ok()).ok_or_else(|| NO_ANSWER.to_owned())
    }
}

impl Handler for Arc<Shared> {
    fn status(&self) -> Status {
        status::status(self)
    }

    fn test_alert(&self, report: &mut dyn FnMut(Stage)) {
        self_check::run(self, report);
    }

    fn reload(&self) -> Reload {
        reload::reload(self)
    }

    fn inventory(&self) -> Result<Inventory, String> {
        inventory::now(self)
    }

    fn show(&self, subject: Subject, query: &Query, tell: &mut dyn FnMut(Update<'_>) -> bool) -> Result<(), String> {
        match subject {
            Subject::Processes => processes::show(self, query, tell),
            Subject::Top => top::show(self, query, tell),
            Subject::Events | Subject::Alerts => show::show(self, subject, query, tell),
        }
    }
}

fn capture_options(config: &Config) -> CaptureOptions {
    CaptureOptions {
        audit: config.audit.hooks,
        audit_multicast: config.audit.multicast_fallback,
        ..CaptureOptions::default()
    }
}

/// The sensor's own entry in the process table; what little is certain if the baseline does not have it.
fn own_process(table: &Table) -> Arc<Process> {
    let pid = std::process::id();
    table
        .find_pid(pid)
        .cloned()
        .unwrap_or_else(|| Arc::new(Process { key: ProcessKey::new(pid, 0), ..Process::default() }))
}

/// The key of that entry, if it is this process beyond doubt: in a pid namespace of its own its id is another's on the host.
fn own_key(own: &Process) -> Option<ProcessKey> {
    let namespace = std::fs::metadata("/proc/self/ns/pid").ok()?.ino();
    let is_own = own.ns_pid == std::process::id() && u64::from(own.namespaces.pid) == namespace;
    (is_own && own.key.start != 0).then_some(own.key)
}

/// Reading the configuration and the kernel's type information takes several times the memory that the running sensor does, and
/// the allocator would keep it.
fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim(3) only gives unused pages back; it is safe in any state of the heap.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Whether an alert's process has this argument.
fn has_argument(alert: &Alert, argument: &[u8]) -> bool {
    alert.event.process.image.args.iter().any(|given| given == argument)
}

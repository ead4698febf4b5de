//! The log, on standard error: data go to standard output. Nothing but this program's own events: those of libraries may
//! hold what is sent.

use std::{
    env,
    io::{self, IsTerminal as _, Write},
    sync::{Arc, Mutex, PoisonError},
};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer as _, Registry,
    filter::Targets,
    fmt,
    layer::SubscriberExt as _,
    reload::{self, Handle},
    util::SubscriberInitExt as _,
};

use super::Cli;
use crate::config::{Config, LogFormat};

/// The log of this process.
pub(super) struct Log {
    filter: Handle<Targets, Registry>,
    is_quiet: bool,
    is_debug: bool,
    format: LogFormat,
    screen: Screen,
}

impl Log {
    /// Sets it up.
    pub(super) fn begin(cli: &Cli, config: &Config) -> Self {
        let screen = Screen::default();
        let (filter, handle) = reload::Layer::new(Targets::new());
        let writer = screen.clone();
        let is_terminal = io::stderr().is_terminal();
        let layer = fmt::layer().with_writer(move || writer.clone()).with_target(false);
        let layer = match config.log_format {
            LogFormat::Json => layer.json().flatten_event(true).boxed(),
            LogFormat::Text => layer.with_ansi(is_terminal).boxed(),
        };
        tracing_subscriber::registry().with(filter.and_then(layer)).init();
        let log = Self { filter: handle, is_quiet: cli.quiet, is_debug: cli.debug, format: config.log_format, screen };
        log.follow(config);
        log
    }

    /// Goes by another configuration.
    pub(super) fn follow(&self, config: &Config) {
        let level = match config.log_level {
            _ if self.is_quiet => LevelFilter::ERROR,
            _ if self.is_debug => LevelFilter::DEBUG,
            level => level.filter(),
        };
        // It fails only once nothing is logged any more.
        drop(self.filter.reload(Targets::new().with_target("sensor_siem", level)));
        if config.log_format != self.format {
            tracing::warn!("`log_format` takes effect at the next start");
        }
    }

    /// Whether people look at it, who want to know how far it is.
    pub(super) fn has_people(&self) -> bool {
        let is_dumb = env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        !self.is_quiet && !is_dumb && self.format == LogFormat::Text && io::stderr().is_terminal()
    }

    /// Shows a line in the place of the last one; none takes it away.
    pub(super) fn show(&self, line: Option<&str>) {
        self.screen.show(line);
    }
}

/// Standard error, at the end of which a line may stand that changes.
#[derive(Clone, Default)]
struct Screen(Arc<Mutex<bool>>);

/// To the begin of the line, and all of it away (ECMA-48: EL).
const CLEAR: &[u8] = b"\r\x1b[K";

impl Screen {
    fn show(&self, line: Option<&str>) {
        let mut stands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !*stands && line.is_none() {
            return;
        }
        let all = [CLEAR, line.unwrap_or_default().as_bytes()].concat();
        // Whoever does not see it does not want it.
        let _ = io::stderr().write_all(&all);
        *stands = line.is_some();
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut stands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut *stands) {
            io::stderr().write_all(CLEAR)?;
        }
        io::stderr().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

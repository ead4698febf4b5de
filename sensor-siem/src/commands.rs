//! The command line: that of the vendor's script.

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, IsTerminal as _, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgAction, Parser};
use diagnostic::{Appearance, Report, printable};
use tracing::level_filters::LevelFilter;

use crate::{
    config_ini::{self, Config, LogLevel},
    pass::{Pass, PassError, Settings, Summary},
    source::{Fault, Pace, Session},
    state::Store,
};

/// Where the script looks for its files.
const HOME: &str = "SOPHOS_SIEM_HOME";
/// A larger configuration is none.
const MAX_CONFIG: u64 = 1 << 20;

/// The exit codes, all of them, by sysexits.h where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All that there was has been read, and the destination has it.
    Fine = 0,
    /// The destination or the state cannot be written.
    Failure = 1,
    /// The command line is wrong. Nothing was tried.
    Usage = 2,
    /// Central could not be reached, or not read to the end; the next pass goes on there.
    Unavailable = 69,
    /// Central refuses the credentials or what they are to read: somebody has to do something.
    Refused = 77,
    /// The configuration was refused. Nothing was tried.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Reads alerts and events of Central and writes them for a SIEM: one pass, from where the last one stopped.
#[derive(Debug, Parser)]
#[command(name = "sensor-siem", version, disable_version_flag = true)]
#[command(after_help = "Exit codes: 0 fine, 1 destination or state cannot be written, 2 command line, \
                        69 Central not reached or not read to the end, 77 Central refuses, 78 configuration.")]
struct Cli {
    /// Reads what came in since this time (Unix seconds, at most 24 hours ago), not since the last pass.
    #[arg(short, long, value_name = "TIME")]
    since: Option<i64>,
    /// The configuration; relative to the folder that SOPHOS_SIEM_HOME names, if it does.
    #[arg(short, long, value_name = "FILE", default_value = "config.ini")]
    config: PathBuf,
    /// Leaves out events of little interest: updates, compliance, web control, allowed applications, finished scans.
    #[arg(short, long)]
    light: bool,
    /// Tells more.
    #[arg(short, long, conflicts_with = "quiet")]
    debug: bool,
    /// Tells the version.
    #[arg(short, long, action = ArgAction::Version)]
    version: (),
    /// Tells errors alone.
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // A wrong command line ends the program with 2.
    let cli = Cli::parse();
    let now = time_now();
    if let Some(since) = cli.since.filter(|since| *since > now) {
        let _ = writeln!(io::stderr(), "sensor-siem: --since {since} lies in the future: it is {now}");
        return Exit::Usage.into();
    }
    run(&cli).into()
}

fn run(cli: &Cli) -> Exit {
    let (path, home) = places(&cli.config, env::var_os(HOME).as_deref());
    let config = match read(&path, &home, cli.quiet) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    log(cli, config.log_level);
    for idle in &config.idle {
        tracing::info!("{}: has no effect: {idle}", path.display());
    }
    match pass(cli, config) {
        Ok(summary) => {
            tracing::info!("{summary}");
            summary.faults.iter().map(of_fault).max_by_key(|exit| *exit as u8).unwrap_or(Exit::Fine)
        }
        Err(error) => {
            tracing::error!("{error}");
            match error {
                PassError::Central(fault) => of_fault(&fault),
                PassError::Destination { .. } | PassError::State(_) => Exit::Failure,
            }
        }
    }
}

const fn of_fault(fault: &Fault) -> Exit {
    match fault {
        Fault::Unavailable(_) => Exit::Unavailable,
        Fault::Refused(_) | Fault::Bad(_) => Exit::Refused,
    }
}

fn pass(cli: &Cli, config: Config) -> Result<Summary, PassError> {
    let (mut store, told) = Store::open(&config.state)?;
    for told in told {
        tracing::warn!("{told}");
    }
    let refused = |error: &dyn std::fmt::Display| PassError::Central(Fault::Refused(error.to_string()));
    let mut session =
        Session::new(config.credentials, &config.connection, Pace::default()).map_err(|error| refused(&error))?;
    let settings = Settings {
        streams: config.streams,
        light: cli.light,
        since: cli.since,
        earlier_minutes: config.earlier_minutes,
        layout: config.layout,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| refused(&error))?;
    let pass = Pass::new(&settings, &config.output, &mut session, &mut store)?;
    runtime.block_on(pass.run())
}

/// Where the configuration is, and the folder that its relative paths are in.
fn places(config: &Path, home: Option<&OsStr>) -> (PathBuf, PathBuf) {
    match home.filter(|home| !home.is_empty()) {
        Some(home) => (Path::new(home).join(config), home.into()),
        None => {
            let folder = config.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            (config.to_owned(), folder.to_owned())
        }
    }
}

fn read(path: &Path, home: &Path, quiet: bool) -> Result<Config, Exit> {
    let say = |text: &str| drop(io::stderr().write_all(text.as_bytes()));
    let cannot = |reason: &dyn std::fmt::Display| {
        say(&format!("sensor-siem: cannot read the configuration {}: {reason}\n", printable(&path.to_string_lossy())));
        Exit::Config
    };
    let metadata = fs::metadata(path).map_err(|error| cannot(&error))?;
    if metadata.len() > MAX_CONFIG {
        return Err(cannot(&"it is larger than 1 MiB"));
    }
    if !quiet && metadata.permissions().mode() & 0o004 != 0 {
        say(&format!(
            "sensor-siem: {} holds secrets and everyone may read it: chmod 600\n",
            printable(&path.to_string_lossy())
        ));
    }
    let text = fs::read_to_string(path).map_err(|error| cannot(&error))?;
    let mut report = Report::default();
    let config = config_ini::read(&path.to_string_lossy(), &text, home, &mut report);
    if !quiet || config.is_none() {
        say(&report.render(Appearance::of(&io::stderr(), env::var_os("NO_COLOR").is_some())));
    }
    config.ok_or(Exit::Config)
}

/// To standard error: data go to standard output. Nothing but this program's own events: those of libraries may hold what
/// is sent.
fn log(cli: &Cli, configured: LogLevel) {
    let level = match configured {
        _ if cli.quiet => LevelFilter::ERROR,
        _ if cli.debug => LevelFilter::DEBUG,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
    };
    let filter = tracing_subscriber::filter::Targets::new().with_target("sensor_siem", level);
    let writer = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false);
    use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};
    tracing_subscriber::registry().with(writer).with(filter).init();
}

fn time_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_that_of_the_script() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        let cli = Cli::try_parse_from(["sensor-siem", "-s", "7", "-c", "a.ini", "-l", "-q"]).unwrap();
        assert_eq!((cli.since, cli.config.as_path(), cli.light, cli.quiet), (Some(7), Path::new("a.ini"), true, true));
        let long = ["sensor-siem", "--since=7", "--config=a.ini", "--light", "--debug"];
        assert!(Cli::try_parse_from(long).unwrap().debug);
        for flag in ["-v", "--version"] {
            let error = Cli::try_parse_from(["sensor-siem", flag]).unwrap_err();
            assert!(error.to_string().contains(env!("CARGO_PKG_VERSION")), "{error}");
        }
        assert!(Cli::try_parse_from(["sensor-siem", "--since", "yesterday"]).is_err());
    }

    #[test]
    fn files_are_where_the_script_has_them() {
        let of = |config: &str, home: Option<&str>| places(Path::new(config), home.map(OsStr::new));
        assert_eq!(of("config.ini", None), ("config.ini".into(), ".".into()));
        assert_eq!(of("/etc/siem/a.ini", None), ("/etc/siem/a.ini".into(), "/etc/siem".into()));
        assert_eq!(of("config.ini", Some("/opt/siem")), ("/opt/siem/config.ini".into(), "/opt/siem".into()));
        assert_eq!(of("/a.ini", Some("/opt/siem")), ("/a.ini".into(), "/opt/siem".into()));
    }
}

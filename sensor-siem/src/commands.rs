//! The command line: that of the vendor's script, and a few words more.

mod check;
mod doctor;
mod log;
mod man;
mod migrate;
mod once;
mod service;
mod status;

use std::{
    env,
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{ArgAction, CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;
use diagnostic::{Appearance, Report, printable};
use settings::Environment;

use self::{log::Log, man::Page};
use crate::{
    config::{self, Config},
    config_ini,
    engine::{EngineError, Options, Replay, Summary, now},
    source::{Fault, shown},
};

/// Where the script looks for its files.
const HOME: &str = "SOPHOS_SIEM_HOME";
/// A larger configuration is none.
const MAX_CONFIG: u64 = 1 << 20;

/// The exit codes, all of them, by sysexits.h where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Fine = 0,
    Failure = 1,
    Usage = 2,
    SetAside = 65,
    Unavailable = 69,
    Refused = 77,
    Config = 78,
}

impl Exit {
    const ALL: [Self; 7] =
        [Self::Fine, Self::Failure, Self::Usage, Self::SetAside, Self::Unavailable, Self::Refused, Self::Config];

    /// What it says.
    const fn doc(self) -> &'static str {
        match self {
            Self::Fine => "All that there was has been read, and every output has it.",
            Self::Failure => "An output or the state cannot be written, or another process has the state.",
            Self::Usage => "The command line is wrong. Nothing was tried.",
            Self::SetAside => {
                "All that there was has been read, and every output has it but for items that were set aside: \
                 `dead_letters` has them, with the reason."
            }
            Self::Unavailable => "Central could not be reached, or not read to the end; the next round goes on there.",
            Self::Refused => "Central refuses the credentials or what they are to read: somebody has to do something.",
            Self::Config => "The configuration was refused. Nothing was tried.",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<&EngineError> for Exit {
    fn from(error: &EngineError) -> Self {
        match error {
            EngineError::State(_) => Self::Failure,
            EngineError::Connection(_) => Self::Refused,
        }
    }
}

/// Reads alerts and events of Central and writes them for a SIEM: once, from where it stopped the last time.
#[derive(Debug, Parser)]
#[command(name = "sensor-siem", version, disable_version_flag = true)]
#[command(after_help = "Exit codes: 0 fine, 1 an output or the state cannot be written, 2 command line, \
                        65 items were set aside, 69 Central not reached or not read to the end, 77 Central refuses, 78 configuration.")]
#[command(args_conflicts_with_subcommands = false)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Reads what came in since this time (Unix seconds, at most 24 hours ago), also what was handed over before.
    #[arg(short, long, value_name = "TIME")]
    since: Option<i64>,
    /// Hands over once more what came in between two times, to one output. Its position stays where it is.
    #[arg(long, num_args = 2, value_names = ["FROM", "TO"], value_parser = time, requires = "to", conflicts_with = "since")]
    replay: Option<Vec<i64>>,
    /// The name of that output.
    #[arg(long, value_name = "OUTPUT", requires = "replay")]
    to: Option<String>,
    /// Reads and counts what is new, and writes nothing.
    #[arg(long)]
    dry_run: bool,
    /// The configuration: the script's, or YAML; relative to the folder that SOPHOS_SIEM_HOME names, if it does.
    #[arg(short, long, value_name = "FILE", default_value = "config.ini", global = true)]
    config: PathBuf,
    /// Leaves out events of little interest: updates, compliance, web control, allowed applications, finished scans.
    #[arg(short, long, global = true)]
    light: bool,
    /// Tells more.
    #[arg(short, long, conflicts_with = "quiet", global = true)]
    debug: bool,
    /// Tells the version.
    #[arg(short, long, action = ArgAction::Version)]
    version: (),
    /// Tells errors alone.
    #[arg(short, long, global = true)]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs as a service: reads again and again, until it is told to stop.
    Run,
    /// Checks the configuration, the credentials and the outputs. Nothing is moved.
    Check,
    /// Looks for what keeps items from where they should go, and says what to do. Nothing is moved.
    Doctor {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Tells how far each output is. Nothing is asked of Central.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Writes the YAML that says what a `config.ini` says.
    Migrate {
        /// The script's configuration.
        #[arg(value_name = "CONFIG.INI")]
        from: PathBuf,
        /// A new file, mode 0600; without it, standard output. It holds the secret.
        #[arg(value_name = "CONFIG.YAML")]
        to: Option<PathBuf>,
    },
    /// Prints a manual page, in roff: of the program, or of its YAML.
    Man {
        #[arg(value_name = "PAGE", value_enum, default_value = "sensor-siem")]
        page: Page,
    },
    /// Prints what a shell needs to complete the command line.
    Completions {
        #[arg(value_name = "SHELL", value_enum)]
        shell: Shell,
    },
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // A wrong command line ends the program with 2.
    let cli = Cli::parse();
    let now = now();
    if let Some(since) = cli.since.filter(|since| *since > now) {
        say(&format!("sensor-siem: --since {} lies in the future: now is {}\n", both(since), both(now)));
        return Exit::Usage.into();
    }
    if cli.command.is_some() && (cli.since.is_some() || cli.replay.is_some() || cli.dry_run) {
        say("sensor-siem: --since, --replay and --dry-run are for a round, and have no effect on a command\n");
        return Exit::Usage.into();
    }
    run(&cli).into()
}

/// A time of the command line: Unix seconds, or as RFC 3339 has it.
fn time(text: &str) -> Result<i64, String> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time = text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second);
    time.map_err(|_| "write it as 2026-11-29T08:00:00Z, or in Unix seconds".to_owned())
}

/// A time as the command line has it, and for people.
fn both(time: i64) -> String {
    format!("{time} ({})", shown(time))
}

/// What is asked for again.
fn replay(cli: &Cli, config: &Config, now: i64) -> Result<Option<Replay>, String> {
    let (Some(times), Some(output)) = (&cli.replay, &cli.to) else { return Ok(None) };
    let (from, to) = (times[0], times[1]);
    if from > to || from > now {
        return Err(format!("--replay {} {} is no time that has begun: now is {}", shown(from), shown(to), both(now)));
    }
    if !config.outputs.iter().any(|known| known.name == *output) {
        let names: Vec<_> = config.outputs.iter().map(|output| output.name.as_str()).collect();
        return Err(format!("no output is called {}; there are: {}", printable(output), names.join(", ")));
    }
    Ok(Some(Replay { from, to, output: output.clone() }))
}

fn run(cli: &Cli) -> Exit {
    match &cli.command {
        Some(Command::Man { page }) => return print(man::render(*page).as_bytes()),
        Some(Command::Completions { shell }) => {
            let mut out = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "sensor-siem", &mut out);
            return print(&out);
        }
        Some(Command::Migrate { from, to }) => return migrate::migrate(from, to.as_deref()),
        Some(Command::Status { json }) => {
            return load(cli).map_or_else(|exit| exit, |config| status::status(&config, *json));
        }
        Some(Command::Doctor { json }) => {
            return load(cli).map_or_else(|exit| exit, |config| doctor::doctor(&config, *json));
        }
        _ => {}
    }
    let config = match load(cli) {
        Ok(config) => config,
        Err(exit) => return exit,
    };
    let log = Log::begin(cli, &config);
    for idle in &config.idle {
        tracing::info!("{}: has no effect: {idle}", cli.config.display());
    }
    match &cli.command {
        Some(Command::Check) => check::check(config),
        Some(Command::Run) => service::run(config, || load(cli).ok(), &log),
        _ => match replay(cli, &config, now()) {
            Ok(replay) => once::once(config, Options { since: cli.since, is_dry: cli.dry_run, replay }, &log),
            Err(reason) => {
                say(&format!("sensor-siem: {reason}\n"));
                Exit::Usage
            }
        },
    }
}

/// A runtime. Its threads are bounded: one that reads, and one for each output that writes.
fn runtime(config: &Config) -> std::io::Result<tokio::runtime::Runtime> {
    // What one makes another lets go: heaps of their own would hold more, and take longer.
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt(3) changes a setting of the heap, which it guards.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 1);
    }
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).max_blocking_threads(config.outputs.len() + 2).enable_all().build()
}

const fn of_fault(fault: &Fault) -> Exit {
    match fault {
        Fault::Unavailable(_) | Fault::TooLarge(_) => Exit::Unavailable,
        Fault::Refused(_) | Fault::Bad(_) => Exit::Refused,
    }
}

/// What came of a round, as the program's exit code.
fn of_summary(summary: &Summary) -> Exit {
    if summary.refused > 0 {
        return Exit::Failure;
    }
    let set_aside = (summary.dead_letters > 0).then_some(Exit::SetAside);
    let exits = summary.faults.iter().map(of_fault).chain(set_aside);
    exits.max_by_key(|exit| *exit as u8).unwrap_or(Exit::Fine)
}

fn load(cli: &Cli) -> Result<Config, Exit> {
    let (path, home) = places(&cli.config, env::var_os(HOME).as_deref());
    let is_yaml = path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
    let mut config = if is_yaml { read_yaml(&path, cli.quiet) } else { read(&path, &home, cli.quiet) }?;
    config.light |= cli.light;
    Ok(config)
}

fn read_yaml(path: &Path, quiet: bool) -> Result<Config, Exit> {
    let mut report = Report::default();
    let config = config::load(path, &Environment::of_process(), &mut report);
    if !quiet || config.is_none() {
        say(&report.render(Appearance::of(&io::stderr(), env::var_os("NO_COLOR").is_some())));
    }
    config.ok_or(Exit::Config)
}

/// What is printed and read by nobody is no fault.
fn print(bytes: &[u8]) -> Exit {
    let _ = io::stdout().write_all(bytes);
    Exit::Fine
}

fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_that_of_the_script() {
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
        let cli = ["sensor-siem", "--replay", "2026-11-29T08:00:00Z", "1795939260", "--to", "main"];
        let cli = Cli::try_parse_from(cli).unwrap();
        assert_eq!(cli.replay, Some(vec![1_795_939_200, 1_795_939_260]));
        for wrong in [
            &["--replay", "7", "8"][..],
            &["--to", "a"],
            &["--replay", "7", "--to", "a"],
            &["--replay", "7", "soon", "--to", "a"],
            &["--replay", "7", "8", "--to", "a", "--since", "7"],
        ] {
            assert!(Cli::try_parse_from(["sensor-siem"].iter().chain(wrong)).is_err(), "{wrong:?}");
        }
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

//! What each command of the command line does.

mod check;
mod doctor;
mod except;
mod import;
mod limits;
mod list;
mod record;
mod replay;
mod rules;
mod run;
mod show;
mod support_bundle;
mod test_alert;

use std::fmt::Display;
use std::io::{self, IsTerminal as _};
use std::os::fd::AsRawFd as _;

use diagnostic::{Appearance, Report, Severity, printable, terminal};
use settings::Environment;

use crate::cli::{self, Command, Exit, completions, fields, help, man};
use crate::config::{Config, Paths, json_schema};
use crate::control::{client, render};
use crate::plan::{Plan, gaps};
use crate::sensor::configure;

/// Does what was asked for.
#[must_use]
pub fn execute(command: Command) -> Exit {
    match command {
        Command::Run(options) => run::run(&options),
        Command::Check { options, strict, json } => check::check(&options, strict, json),
        Command::TestAlert { options } => test_alert::test_alert(&options),
        Command::RulesCheck { options, files } => rules::check(&options, &files),
        Command::RulesTest { options, files } => rules::test(&options, &files),
        Command::RulesExplain { options, event, policy, all } => {
            rules::explain(&options, &event, policy.as_deref(), all)
        }
        Command::RulesExcept { run_dir, alert } => except::except(&run_dir, &alert),
        Command::RulesImportSigma { options, paths, output, keep_level } => {
            import::sigma(&options, &paths, output.as_deref(), keep_level)
        }
        Command::Version => print(&(cli::version() + "\n")),
        Command::Help { topic } => print(&help::render(topic)),
        Command::ConfigSchema => print(&format!("{:#}\n", json_schema())),
        Command::Fields { format } => print(&fields::render(format)),
        Command::Completions { shell } => print(&completions::render(shell)),
        Command::Man { page } => print(&man::render(page)),
        Command::Status { run_dir, json } => match client::status(&run_dir) {
            Ok(status) if json => print(&render::status_json(&status)),
            Ok(status) => print(&render::status(&status)),
            Err(error) => fail(&error),
        },
        Command::Record { run_dir, look, duration, file } => record::record(&run_dir, &look, duration, &file),
        Command::Replay { options, json, file } => replay::replay(&options, json, &file),
        Command::RulesBench { options, policy, json, file } => replay::bench(&options, policy.as_deref(), json, &file),
        Command::Show { run_dir, subject, look } => show::show(&run_dir, subject, &look),
        Command::List { run_dir, json, what } => list::list(&run_dir, json, &what),
        Command::Health { run_dir } => doctor::health(&run_dir),
        Command::Limits { options } => limits::limits(&options),
        Command::Doctor { options, json } => doctor::doctor(&options, json),
        Command::SupportBundle { options, file } => support_bundle::support_bundle(&options, &file),
        Command::Reload { run_dir } => match client::reload(&run_dir) {
            Ok(reload) => match print(&render::reload(&reload)) {
                Exit::Fine if !reload.accepted => Exit::Config,
                exit => exit,
            },
            Err(error) => fail(&error),
        },
    }
}

/// Writes to standard output. Output that could not be written is a failure: a script must not take half a page for
/// the whole.
fn print(text: &str) -> Exit {
    match terminal::print(text) {
        Ok(()) => Exit::Fine,
        Err(error) => fail(&format!("standard output: {error}")),
    }
}

fn fail(error: &dyn Display) -> Exit {
    // An error may quote what others wrote: its lines are shown, its control characters are not obeyed.
    for line in error.to_string().lines() {
        eprintln!("{}: {}", cli::PROGRAM, printable(line));
    }
    Exit::Failure
}

/// The files that the command line names.
fn paths(options: &cli::Options) -> Paths {
    let named = |place: &cli::Place| place.named.then(|| place.path.clone());
    Paths {
        main: named(&options.config),
        content: named(&options.content),
        rules: named(&options.rules),
        state_dir: named(&options.state_dir),
        run_dir: named(&options.run_dir),
    }
}

/// Reads and compiles the configuration, and shows what is wrong with it. If it is refused, the first error in one line.
fn configured(paths: &Paths, strict: bool) -> Result<(Config, Plan), String> {
    let (report, configured) = read(paths, strict);
    show(&report);
    let mut errors = report.diagnostics().iter().filter(|finding| finding.severity == Severity::Error);
    match (errors.next(), errors.count()) {
        (None, _) => {
            show(&gaps(&configured.0, &configured.1));
            Ok(configured)
        }
        (Some(error), 0) => Err(error.message.clone()),
        (Some(error), more) => Err(format!("{}, and {more} more", error.message)),
    }
}

/// Reads and compiles the configuration, with all that is to be said of it.
fn read(paths: &Paths, strict: bool) -> (Report, (Config, Plan)) {
    let mut report = Report::default();
    let configured = configure(paths, &Environment::of_process(), &mut report);
    if strict {
        report.deny_warnings();
    }
    (report, configured)
}

fn show(report: &Report) {
    if !report.diagnostics().is_empty() {
        eprint!("{}", report.render(Appearance::of(&io::stderr(), no_color())));
    }
}

/// Whether the variable `NO_COLOR` forbids colours.
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The columns of the terminal that standard output is; none if it is no terminal.
fn width() -> Option<usize> {
    let out = io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let mut size = libc::winsize { ws_row: 0, ws_col: 0, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: `size` is what this request fills in, and lives through the call.
    let asked = unsafe { libc::ioctl(out.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) };
    (asked == 0 && size.ws_col > 0).then_some(usize::from(size.ws_col))
}

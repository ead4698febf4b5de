use std::process::ExitCode;

use sensor_agent::cli::{self, Exit, Usage};
use sensor_agent::commands;
use sensor_agent::sensor::{CANARY, self_check};

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    // What the self check and the watchdog run: being run is all that is asked of it.
    if arguments.first().is_some_and(|first| first == self_check::MARKER || first == CANARY) {
        return ExitCode::SUCCESS;
    }
    sensor_agent::name_service::keep_to_built_in();
    let exit = match cli::parse(arguments) {
        Ok(command) => commands::execute(command),
        Err(usage) => {
            eprintln!("{}: {usage}\n{}", cli::PROGRAM, Usage::hint());
            Exit::Usage
        }
    };
    exit.into()
}

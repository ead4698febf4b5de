use std::{io, process::ExitCode};

use sensor_agent::{
    cli::{self, Command, Exit, Usage, completions, fields, help, man},
    terminal,
};

fn main() -> ExitCode {
    let exit = match cli::parse(std::env::args_os().skip(1)) {
        Ok(command) => run(command),
        Err(usage) => {
            eprintln!("{}: {usage}\n{}", cli::PROGRAM, Usage::hint());
            Exit::Usage
        }
    };
    exit.into()
}

fn run(command: Command) -> Exit {
    match command {
        Command::Version => shown(terminal::print(&(cli::version() + "\n"))),
        Command::Help { topic } => shown(terminal::print(&help::render(topic))),
        Command::Fields { format } => shown(terminal::print(&fields::render(format))),
        Command::Completions { shell } => shown(terminal::print(&completions::render(shell))),
        Command::Man => shown(terminal::print(&man::render())),
        _ => {
            eprintln!("{}: this build has no sensor in it", cli::PROGRAM);
            Exit::Failure
        }
    }
}

/// Output that could not be written is a failure: a script must not take half a page for the whole.
fn shown(result: io::Result<()>) -> Exit {
    match result {
        Ok(()) => Exit::Fine,
        Err(error) => {
            eprintln!("{}: standard output: {error}", cli::PROGRAM);
            Exit::Failure
        }
    }
}

use std::{io, process::ExitCode};

use sensor_agent::{
    cli::{self, Command, Exit, Usage, completions, fields, help, man},
    control::{client, render},
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
        Command::Status { run_dir, json } => match client::status(&run_dir) {
            Ok(status) if json => shown(terminal::print(&render::status_json(&status))),
            Ok(status) => shown(terminal::print(&render::status(&status))),
            Err(error) => failed(&error),
        },
        Command::Reload { run_dir } => match client::reload(&run_dir) {
            Ok(reload) => match shown(terminal::print(&render::reload(&reload))) {
                Exit::Fine if !reload.accepted => Exit::Config,
                exit => exit,
            },
            Err(error) => failed(&error),
        },
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
        Err(error) => failed(&format!("standard output: {error}")),
    }
}

fn failed(error: &dyn std::fmt::Display) -> Exit {
    eprintln!("{}: {}", cli::PROGRAM, terminal::printable(&error.to_string()));
    Exit::Failure
}

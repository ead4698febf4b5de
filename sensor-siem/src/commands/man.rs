//! The manual pages, in roff, out of the tables of flags and of keys.

use clap::{Arg, Command, CommandFactory as _, ValueEnum, builder::StyledStr};
use roff::{Inline, Roff, bold, italic, roman};
use settings::manual::{keys, paragraph, variants};

use super::{Cli, Exit};
use crate::config::keys::{OUTPUTS, SCHEMA, TOP};

const PROGRAM: &str = "sensor-siem";
/// What the configuration is called in its page.
const FILE: &str = "sensor-siem.yaml";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A manual page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Page {
    /// `sensor-siem(8)`
    #[value(name = PROGRAM)]
    Program,
    /// `sensor-siem.yaml(5)`
    #[value(name = FILE)]
    Configuration,
}

/// The page; show it with `sensor-siem man | man -l -`.
pub(super) fn render(page: Page) -> String {
    match page {
        Page::Program => program(),
        Page::Configuration => configuration(),
    }
}

fn program() -> String {
    let mut cli = Cli::command();
    cli.build();
    let mut page = Roff::new();
    // The date stays empty: the page is the same however often it is built.
    page.control("TH", [PROGRAM, "8", "\"\"", &format!("{PROGRAM} {VERSION}")]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{PROGRAM} - hands alerts and events of Central to a SIEM"))]);
    page.control("SH", ["SYNOPSIS"]);
    page.text([bold(PROGRAM), roman(" [FLAGS]")]);
    for command in commands(&cli) {
        page.control("br", []);
        page.text(synopsis(command));
    }
    page.control("SH", ["DESCRIPTION"]);
    page.text([roman(sentence(cli.get_about()))]);
    page.control("SH", ["FLAGS"]);
    flags(&mut page, &cli);
    page.control("SH", ["COMMANDS"]);
    for command in commands(&cli) {
        item(&mut page, synopsis(command), &sentence(command.get_about()));
        if command.get_arguments().any(|arg| !is_general(arg)) {
            page.control("RS", []);
            flags(&mut page, command);
            page.control("RE", []);
        }
    }
    page.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        item(&mut page, [bold((exit as u8).to_string())], exit.doc());
    }
    page.control("SH", ["FILES"]);
    item(
        &mut page,
        [italic("/etc/sensor-siem/config.yaml")],
        "The configuration of the service that the package brings.",
    );
    item(&mut page, [italic("/var/lib/sensor-siem")], "How far each output is, and what could not be handed over.");
    page.control("SH", ["SEE ALSO"]);
    page.text([bold(FILE), roman("(5)")]);
    page.to_roff()
}

fn configuration() -> String {
    let mut page = Roff::new();
    page.control("TH", [FILE, "5", "\"\"", &format!("{PROGRAM} {VERSION}")]);
    page.control("SH", ["NAME"]);
    page.text([roman(format!("{FILE} - configuration of {PROGRAM}"))]);
    page.control("SH", ["DESCRIPTION"]);
    paragraph(
        &mut page,
        "A YAML mapping, in a file that `--config` names and whose name ends in `.yaml` or `.yml`. A key that is not known, \
         or has no effect, is an error; `sensor-siem check` names everything that is wrong, with its place. Of what stands \
         in the environment too, the environment counts. Secrets can be systemd credentials, under the key's path.",
    );
    page.control("SH", ["KEYS"]);
    keys(&mut page, TOP, &SCHEMA);
    variants(&mut page, "OUTPUTS", &OUTPUTS, &SCHEMA);
    page.control("SH", ["SEE ALSO"]);
    page.text([bold(PROGRAM), roman("(8)")]);
    page.to_roff()
}

fn commands(cli: &Command) -> impl Iterator<Item = &Command> {
    cli.get_subcommands().filter(|command| command.get_name() != "help")
}

fn synopsis(command: &Command) -> Vec<Inline> {
    let mut line = vec![bold(format!("{PROGRAM} {}", command.get_name()))];
    for arg in command.get_positionals() {
        line.push(roman(" "));
        let name = names(arg);
        line.extend(if arg.is_required_set() {
            vec![italic(name)]
        } else {
            vec![roman("["), italic(name), roman("]")]
        });
    }
    line
}

/// What a value is called.
fn names(arg: &Arg) -> String {
    arg.get_value_names()
        .map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

/// Whether it is said once, of the program.
fn is_general(arg: &Arg) -> bool {
    arg.is_global_set() || arg.get_id() == "help"
}

fn flags(page: &mut Roff, command: &Command) {
    let of_program = command.get_name() == PROGRAM;
    for arg in command.get_arguments().filter(|arg| of_program || !is_general(arg)) {
        let mut head: Vec<Inline> = Vec::new();
        let short = arg.get_short().map(|short| format!("-{short}"));
        let long = arg.get_long().map(|long| format!("--{long}"));
        for flag in short.into_iter().chain(long) {
            if !head.is_empty() {
                head.push(roman(", "));
            }
            head.push(bold(flag));
        }
        if arg.get_action().takes_values() {
            if !head.is_empty() {
                head.push(roman(" "));
            }
            head.push(italic(names(arg)));
        }
        let mut doc = sentence(arg.get_help());
        if let Some(default) = arg.get_default_values().first() {
            doc += &format!(" Default: {}", default.to_string_lossy());
        }
        item(page, head, &doc);
    }
}

/// A doc comment, whose last point is taken off on its way.
fn sentence(doc: Option<&StyledStr>) -> String {
    doc.map(|doc| format!("{doc}.")).unwrap_or_default()
}

fn item(page: &mut Roff, head: impl Into<Vec<Inline>>, doc: &str) {
    page.control("TP", []);
    page.text(head);
    page.text([roman(doc)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As roff writes text.
    fn escaped(text: &str) -> String {
        text.replace('-', "\\-")
    }

    #[test]
    fn every_flag_command_and_exit_code_is_in_the_manual() {
        let page = program();
        let mut cli = Cli::command();
        cli.build();
        for command in std::iter::once(&cli).chain(commands(&cli)) {
            assert!(page.contains(&escaped(command.get_name())));
            for arg in command.get_arguments().filter(|arg| arg.get_id() != "help") {
                if let Some(long) = arg.get_long() {
                    assert!(page.contains(&escaped(&format!("--{long}"))), "{long}");
                }
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(page.contains(&escaped(&help)), "{help}");
            }
        }
        for exit in Exit::ALL {
            assert!(page.contains(&escaped(exit.doc())), "{exit:?}");
        }
    }

    #[test]
    fn every_key_is_in_the_manual() {
        let page = configuration();
        for key in SCHEMA.tables().into_iter().flatten() {
            assert!(page.contains(&escaped(key.name)), "{}", key.name);
        }
    }
}

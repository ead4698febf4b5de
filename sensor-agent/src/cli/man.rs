//! The manual pages, in roff.

use roff::{Inline, Roff, bold, italic, roman};

use super::{
    Exit, PROGRAM, VERSION,
    flags::{COMMANDS, CommandEntry, CommandId, Count, FLAGS, Flag, FlagId},
    help,
};

/// A manual page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// `sophoslinuxsensor(8)`
    Program,
    /// `runtimedetections.yaml(5)`
    Configuration,
}

/// The page; show it with `sophoslinuxsensor man | man -l -`.
#[must_use]
pub fn render(page: Page) -> String {
    match page {
        Page::Program => program(),
        Page::Configuration => crate::config::manual(VERSION),
    }
}

fn program() -> String {
    let mut page = Roff::new();
    // The date stays empty: the page is the same however often it is built.
    page.control("TH", [PROGRAM, "8", "\"\"", &format!("{PROGRAM} {VERSION}")]);

    page.control("SH", ["NAME"]);
    page.text([roman(format!("{PROGRAM} - {}", help::SUMMARY))]);

    page.control("SH", ["SYNOPSIS"]);
    page.text([bold(PROGRAM), roman(" [FLAGS]")]);
    for command in COMMANDS.iter().filter(|command| !command.words.is_empty()) {
        page.control("br", []);
        page.text(synopsis(command));
    }

    page.control("SH", ["DESCRIPTION"]);
    page.text([roman(
        "Without a command, runs the sensor in the foreground until SIGTERM or SIGINT. On SIGHUP it reads its \
         configuration again; one that is refused changes nothing.",
    )]);
    page.control("PP", []);
    page.text([roman(help::SPELLING)]);

    page.control("SH", ["FLAGS"]);
    for flag in CommandEntry::of(CommandId::Sensor).flags() {
        push_flag(&mut page, flag);
    }

    page.control("SH", ["COMMANDS"]);
    for command in COMMANDS.iter().filter(|command| !command.words.is_empty()) {
        page.control("TP", []);
        page.text(synopsis(command));
        page.text([roman(command.doc)]);
        if !command.more.is_empty() {
            page.text([roman(command.more)]);
        }
        push_command_flags(&mut page, command);
    }

    page.control("SH", ["FLAGS OF COMMANDS"]);
    let general = CommandEntry::of(CommandId::Sensor).flags;
    for flag in FLAGS.iter().filter(|flag| !general.contains(&flag.id) && flag.id != FlagId::Help) {
        push_flag(&mut page, flag);
    }

    page.control("SH", ["EXIT STATUS"]);
    for exit in Exit::ALL {
        push_item(&mut page, [bold(exit.code().to_string())], exit.doc());
    }

    page.control("SH", ["FILES"]);
    for flag in FLAGS {
        if let Some(default) = flag.default {
            push_item(&mut page, [italic(default)], flag.doc);
        }
    }

    page.control("SH", ["ENVIRONMENT"]);
    page.text([roman(
        "A key of the configuration can be set by its name in capitals, levels joined by an underscore: MCS_URL. A \
         secret can also be put into a file that such a variable names: MCS_TOKEN_FILE.",
    )]);
    page.control("SH", ["SEE ALSO"]);
    page.text([bold(crate::config::FILE_NAME), roman("(5)")]);
    page.to_roff()
}

fn synopsis(command: &CommandEntry) -> Vec<Inline> {
    let mut line = vec![bold(format!("{PROGRAM} {}", command.name()))];
    if !command.flags.is_empty() {
        line.push(roman(" [FLAGS]"));
    }
    if command.count != Count::None {
        line.extend([roman(" "), italic(command.operands())]);
    }
    line
}

fn push_command_flags(page: &mut Roff, command: &CommandEntry) {
    if command.flags.is_empty() {
        return;
    }
    let mut line = vec![roman("Flags: ")];
    for (index, id) in command.flags.iter().enumerate() {
        if index > 0 {
            line.push(roman(", "));
        }
        line.push(bold(format!("-{}", Flag::of(*id).name)));
    }
    line.push(roman("."));
    page.text(line);
}

fn push_flag(page: &mut Roff, flag: &Flag) {
    let mut head = vec![bold(format!("-{}", flag.name))];
    if let Some(value) = &flag.value {
        head.extend([roman(" "), italic(value.name)]);
    }
    match flag.default {
        Some(default) => push_item(page, head, &format!("{} Default: {default}", flag.doc)),
        None => push_item(page, head, flag.doc),
    }
}

fn push_item(page: &mut Roff, head: impl Into<Vec<Inline>>, doc: &str) {
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
        for flag in FLAGS {
            assert!(page.contains(&format!(".TP\n\\fB{}\\fR", escaped(&format!("-{}", flag.name)))), "{}", flag.name);
            assert!(page.contains(&escaped(flag.doc)), "{}", flag.name);
        }
        for command in COMMANDS.iter().filter(|command| !command.words.is_empty()) {
            assert!(
                page.contains(&format!(".TP\n\\fB{PROGRAM} {}\\fR", escaped(&command.name()))),
                "{}",
                command.name()
            );
        }
        for exit in Exit::ALL {
            assert!(page.contains(&format!(".TP\n\\fB{}\\fR", exit.code())), "{exit:?}");
        }
    }
}

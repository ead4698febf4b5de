//! `-help`, in general and of each command.

use std::fmt::Write as _;

use super::{
    Exit, PROGRAM,
    flags::{COMMANDS, CommandEntry, CommandId, Count, FLAGS, Flag, FlagId},
};

/// Columns that help keeps within.
const WIDTH: usize = 90;

/// The help of one command, or of the program.
#[must_use]
pub fn render(topic: Option<CommandId>) -> String {
    match topic {
        None | Some(CommandId::Sensor) => general(),
        Some(id) => of_command(CommandEntry::of(id)),
    }
}

/// What the program is, in the words of the manual too.
pub(super) const SUMMARY: &str = "watch what programs do on this host, and raise alerts";

/// How flags are written, in the words of the manual too.
pub(super) const SPELLING: &str = "Flags begin with one dash or two. A value follows after a blank or an equals sign. \
     Two dashes alone end the flags. Secrets are never flags: they go into the configuration, or into files named in \
     the environment.";

fn general() -> String {
    let mut out = format!(
        "{PROGRAM}: {SUMMARY}\n\nUsage:\n  {PROGRAM} [FLAGS]\n  {PROGRAM} COMMAND [FLAGS] [ARGUMENTS]\n\nFlags:\n"
    );
    for flag in CommandEntry::of(CommandId::Sensor).flags() {
        push_flag(&mut out, flag);
    }
    out.push_str("\nCommands:\n");
    for command in COMMANDS.iter().filter(|command| !command.words.is_empty()) {
        push_item(&mut out, &synopsis(command), command.doc);
    }
    let of_commands = FLAGS.iter().filter(|flag| !CommandEntry::of(CommandId::Sensor).flags.contains(&flag.id));
    out.push_str("\nFlags of commands:\n");
    for flag in of_commands.filter(|flag| flag.id != FlagId::Help) {
        push_flag(&mut out, flag);
    }
    out.push_str("\nExit codes:\n");
    for exit in Exit::ALL {
        let _ = writeln!(out, "  {:<3} {}", exit.code(), exit.doc());
    }
    let _ = write!(out, "\n{}\n{PROGRAM} COMMAND -help tells more of a command.\n", wrap(SPELLING, 0));
    out
}

fn of_command(command: &CommandEntry) -> String {
    let mut out = format!("Usage:\n  {PROGRAM} {}\n\n{}\n", synopsis(command), wrap(command.doc, 0));
    if !command.more.is_empty() {
        let _ = writeln!(out, "{}", wrap(command.more, 0));
    }
    out.push_str("\nFlags:\n");
    for flag in command.flags() {
        push_flag(&mut out, flag);
    }
    out
}

/// The command with its operands, and whether it has flags of its own.
pub(super) fn synopsis(command: &CommandEntry) -> String {
    let mut out = command.name();
    if !command.flags.is_empty() {
        out.push_str(" [FLAGS]");
    }
    if command.count != Count::None {
        out.push(' ');
        out.push_str(&command.operands());
    }
    out
}

fn push_flag(out: &mut String, flag: &Flag) {
    let doc = match flag.default {
        Some(default) => format!("{} Default: {default}", flag.doc),
        None => flag.doc.to_owned(),
    };
    push_item(out, &flag.usage(), &doc);
}

fn push_item(out: &mut String, item: &str, doc: &str) {
    let _ = writeln!(out, "  {item}\n{}", wrap(doc, 8));
}

/// The text in lines of at most [`WIDTH`] columns, each indented.
fn wrap(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        if width > 0 && width + 1 + word.len() <= WIDTH {
            out.push(' ');
            width += 1 + word.len();
        } else {
            if width > 0 {
                out.push('\n');
            }
            out.extend(std::iter::repeat_n(' ', indent));
            width = indent + word.len();
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_and_command_is_in_the_general_help() {
        let help = render(None);
        for flag in FLAGS {
            assert!(help.contains(&format!("\n  {}\n", flag.usage())), "{}", flag.usage());
            if let Some(default) = flag.default {
                assert!(help.contains(default), "{default}");
            }
        }
        for command in COMMANDS {
            assert!(help.contains(&format!("\n  {}", command.name())), "{}", command.name());
        }
        for exit in Exit::ALL {
            assert!(help.contains(&format!("\n  {:<3} ", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn every_flag_of_a_command_is_in_its_help() {
        for command in COMMANDS {
            let help = render(Some(command.id));
            for flag in command.flags() {
                assert!(help.contains(&format!("\n  {}\n", flag.usage())), "{}: {}", command.name(), flag.usage());
            }
        }
    }

    #[test]
    fn lines_are_short() {
        for topic in COMMANDS {
            for line in render(Some(topic.id)).lines() {
                assert!(line.len() <= WIDTH, "{line}");
            }
        }
    }
}

//! Completion scripts for shells.
//!
//! Each script finds the command in what has been typed, then offers what goes with it: flags with one dash, or with
//! two once two are typed; files, directories or words after them.

mod bash;
mod fish;
mod zsh;

use super::flags::{COMMANDS, CommandEntry, FLAGS, Flag};

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// The script for this shell.
#[must_use]
pub fn render(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash::render(),
        Shell::Zsh => zsh::render(),
        Shell::Fish => fish::render(),
    }
}

/// The flags that a value follows.
fn with_value() -> impl Iterator<Item = &'static Flag> {
    FLAGS.iter().filter(|flag| flag.value.is_some())
}

/// What can come after these words to make a command, each with its doc line, without repeats.
fn next_words(words: &[&str]) -> Vec<(&'static str, &'static str)> {
    let mut next: Vec<(&str, &str)> = Vec::new();
    for command in COMMANDS.iter().filter(|command| command.words.len() > words.len()) {
        if command.words.starts_with(words) {
            let word = command.words[words.len()];
            let doc = match (command.words.len() == words.len() + 1, words) {
                (true, _) => command.doc,
                (false, []) => "Policies and lists: check, test, explain, import.",
                (false, _) => "Policies made of the rules of others: sigma.",
            };
            if next.iter().all(|(known, _)| *known != word) {
                next.push((word, doc));
            }
        }
    }
    next
}

/// The words that begin a longer command but are none themselves, longest first: `rules import`, `rules`.
fn incomplete() -> Vec<&'static [&'static str]> {
    let mut all: Vec<&[&str]> = Vec::new();
    for command in COMMANDS {
        for words in (1..command.words.len()).map(|count| &command.words[..count]) {
            if !all.contains(&words) {
                all.push(words);
            }
        }
    }
    all.sort_by_key(|words| std::cmp::Reverse(words.len()));
    all
}

/// The commands that have words, longest first, so that a shell's first match is the right one.
fn commands() -> Vec<&'static CommandEntry> {
    let mut commands: Vec<_> = COMMANDS.iter().filter(|command| !command.words.is_empty()).collect();
    commands.sort_by_key(|command| std::cmp::Reverse(command.words.len()));
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_and_command_word_is_in_every_script() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let script = render(shell);
            for flag in FLAGS {
                let offered = match shell {
                    Shell::Bash => script.contains(&format!("-{}", flag.name)),
                    Shell::Zsh => script.contains(&format!("'-{}", flag.name)),
                    Shell::Fish => script.contains(&format!(" -o {} ", flag.name)),
                };
                assert!(offered, "{shell:?}: -{}", flag.name);
            }
            for word in COMMANDS.iter().flat_map(|command| command.words) {
                assert!(script.contains(word), "{shell:?}: {word}");
            }
        }
    }
}

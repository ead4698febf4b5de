//! The script for fish, which knows flags with one dash as "old" options.

use super::{commands, incomplete, next_words, with_value};
use crate::cli::{
    PROGRAM,
    flags::{COMMANDS, FLAGS, Flag, OperandKind},
};

pub(super) fn render() -> String {
    let valued: Vec<String> = with_value().map(|flag| format!("-{}", flag.name)).collect();
    let mut lines = Vec::new();
    for flag in FLAGS {
        let patterns: Vec<String> = COMMANDS
            .iter()
            .filter(|command| command.flags().any(|other| other.id == flag.id))
            .map(
                |command| if command.words.is_empty() { "\"\"".to_owned() } else { format!("\"{}*\"", command.name()) },
            )
            .collect();
        lines.push(format!("complete -c {PROGRAM} -n {} {}", condition(&patterns), of_flag(flag)));
    }
    let mut words_after = |pattern: &str, words: Vec<(&str, &str)>| {
        for (word, doc) in words {
            let condition = condition(&[format!("\"{pattern}\"")]);
            lines.push(format!("complete -c {PROGRAM} -n {condition} -a {word} -d {}", quoted(doc)));
        }
    };
    words_after("", next_words(&[]));
    for words in incomplete() {
        words_after(&words.join(" "), next_words(words));
    }
    for command in commands() {
        let offer = match command.operand.as_ref().map(|operand| operand.kind) {
            Some(OperandKind::File) => "-F".to_owned(),
            Some(OperandKind::Directory) => "-a '(__fish_complete_directories)'".to_owned(),
            Some(OperandKind::OneOf(words)) => format!("-a '{}'", words.join(" ")),
            Some(OperandKind::Word) | None => continue,
        };
        lines.push(format!("complete -c {PROGRAM} -n {} {offer}", condition(&[format!("\"{}*\"", command.name())])));
    }
    format!(
        r#"# fish completion of {PROGRAM}

# Whether the command typed so far is like one of the patterns.
function __{PROGRAM}_command
    set -l command
    set -l skip 0
    for word in (commandline -opc)[2..]
        if test $skip = 1
            set skip 0
            continue
        end
        switch (string replace -r '^--' '-' -- $word)
            case {valued}
                set skip 1
            case '-*'
            case '*'
                set -a command $word
        end
    end
    for pattern in $argv
        string match -q -- $pattern "$command"; and return 0
    end
    return 1
end

complete -c {PROGRAM} -f
{lines}
"#,
        valued = valued.join(" "),
        lines = lines.join("\n"),
    )
}

fn condition(patterns: &[String]) -> String {
    format!("'__{PROGRAM}_command {}'", patterns.join(" "))
}

fn of_flag(flag: &Flag) -> String {
    let value = match flag.value.as_ref().map(|operand| operand.kind) {
        None => "",
        Some(OperandKind::File) => " -r -F",
        Some(OperandKind::Directory) => " -x -a '(__fish_complete_directories)'",
        Some(OperandKind::Word | OperandKind::OneOf(_)) => " -x",
    };
    format!("-o {name} -l {name}{value} -d {doc}", name = flag.name, doc = quoted(flag.doc))
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

//! The script for zsh, by its own `_arguments`.

use super::{commands, incomplete, next_words, with_value};
use crate::cli::{
    PROGRAM,
    flags::{CommandEntry, CommandId, Flag, Operand, OperandKind},
};

pub(super) fn render() -> String {
    let valued: Vec<String> = with_value().map(|flag| format!("-{}", flag.name)).collect();
    let mut cases: Vec<String> = commands().into_iter().map(of_command).collect();
    for words in incomplete() {
        let mut specs: Vec<_> = (1..=words.len()).map(|place| format!("'{place}: :'")).collect();
        specs.push(choice(words.len() + 1, next_words(words)));
        cases.push(case(&words.join(" "), &specs));
    }
    let mut sensor: Vec<_> = CommandEntry::of(CommandId::Sensor).flags().map(of_flag).collect();
    sensor.push(choice(1, next_words(&[])));
    cases.push(case("", &sensor));
    format!(
        r#"#compdef {PROGRAM}

_{PROGRAM}() {{
    local command= skip= word
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        if [[ -n $skip ]]; then
            skip=
            continue
        fi
        case ${{word/#--/-}} in
            ({valued}) skip=1 ;;
            (-*) ;;
            (*) command+="${{command:+ }}$word" ;;
        esac
    done
    case $command in
        {cases}
    esac
}}

if [[ $funcstack[1] == _{PROGRAM} ]]; then
    _{PROGRAM} "$@"
else
    compdef _{PROGRAM} {PROGRAM}
fi
"#,
        valued = valued.join("|"),
        cases = cases.join("\n        "),
    )
}

fn of_command(command: &CommandEntry) -> String {
    let mut specs: Vec<_> = command.flags().map(of_flag).collect();
    specs.extend((1..=command.words.len()).map(|place| format!("'{place}: :'")));
    specs.extend(command.operand.as_ref().map(|operand| format!("'*:{}'", action(operand))));
    case(&format!("{}*", command.name()), &specs)
}

/// A case of the script; a command's name may end with `*` for the operands after it.
fn case(pattern: &str, specs: &[String]) -> String {
    let (name, star) = pattern.strip_suffix('*').map_or((pattern, ""), |name| (name, "*"));
    format!("(\"{name}\"{star}) _arguments \\\n            {} ;;", specs.join(" \\\n            "))
}

fn of_flag(flag: &Flag) -> String {
    let doc = quoted(flag.doc);
    match &flag.value {
        Some(value) => [("-", flag.name), ("--", flag.name)]
            .map(|(dashes, name)| format!("'{dashes}{name}=[{doc}]:{}'", action(value)))
            .join(" "),
        None => {
            [("-", flag.name), ("--", flag.name)].map(|(dashes, name)| format!("'{dashes}{name}[{doc}]'")).join(" ")
        }
    }
}

fn action(operand: &Operand) -> String {
    match operand.kind {
        OperandKind::File => format!("{}:_files", operand.name),
        OperandKind::Directory => format!("{}:_files -/", operand.name),
        OperandKind::Word => format!("{}: ", operand.name),
        OperandKind::OneOf(words) => format!("{}:({})", operand.name, words.join(" ")),
    }
}

/// The words that can stand in this place, with their doc lines.
fn choice(place: usize, words: Vec<(&str, &str)>) -> String {
    let words: Vec<_> = words.into_iter().map(|(word, doc)| format!("{word}\\:\"{}\"", quoted(doc))).collect();
    format!("'{place}:command:(({}))'", words.join(" "))
}

/// Text between single quotes and brackets of a specification.
fn quoted(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '\'' => out.push_str("'\\''"),
            '[' | ']' | ':' | '\\' | '"' => out.extend(['\\', char]),
            _ => out.push(char),
        }
    }
    out
}

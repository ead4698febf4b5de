//! The script for bash. It needs nothing of the bash-completion package.

use super::{commands, incomplete, next_words, with_value};
use crate::cli::{
    PROGRAM,
    flags::{CommandEntry, CommandId, OperandKind},
};

pub(super) fn render() -> String {
    let valued: Vec<String> = with_value().map(|flag| format!("-{}", flag.name)).collect();
    let values: Vec<String> = with_value()
        .filter_map(|flag| Some(format!("-{}) {}; return ;;", flag.name, candidates(flag.value.as_ref()?.kind))))
        .collect();
    let mut cases: Vec<String> = commands()
        .into_iter()
        .map(|command| {
            let operand = command.operand.as_ref().map_or(OperandKind::Word, |operand| operand.kind);
            format!("\"{}\"*) flags=\"{}\"; {} ;;", command.name(), flags(command), candidates(operand))
        })
        .collect();
    for words in incomplete() {
        cases.push(format!("\"{}\") flags=\"-help\"; {} ;;", words.join(" "), candidate_words(next_words(words))));
    }
    let sensor = flags(CommandEntry::of(CommandId::Sensor));
    cases.push(format!("\"\") flags=\"{sensor}\"; {} ;;", candidate_words(next_words(&[]))));
    format!(
        r#"# bash completion of {PROGRAM}

_{PROGRAM}() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command= flags= skip= word i
    COMPREPLY=()
    # -flag=value comes as three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    case ${{prev/#--/-}} in
        {values}
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        [[ $word == = ]] && continue
        if [[ $skip ]]; then
            skip=
            continue
        fi
        case ${{word/#--/-}} in
            {valued}) skip=1 ;;
            -*) ;;
            *) command+="${{command:+ }}$word" ;;
        esac
    done
    case $command in
        {cases}
    esac
    if [[ $cur == --* ]]; then
        flags=" $flags"
        mapfile -t COMPREPLY < <(compgen -W "${{flags// -/ --}}" -- "$cur")
    elif [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$flags" -- "$cur")
    fi
}}

complete -F _{PROGRAM} {PROGRAM}
"#,
        values = values.join("\n        "),
        valued = valued.join("|"),
        cases = cases.join("\n        "),
    )
}

/// The command that fills in what an operand can be.
fn candidates(kind: OperandKind) -> String {
    match kind {
        OperandKind::File => "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")".to_owned(),
        OperandKind::Directory => "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")".to_owned(),
        OperandKind::Word => ":".to_owned(),
        OperandKind::OneOf(words) => {
            format!("mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$cur\")", words.join(" "))
        }
    }
}

fn candidate_words(words: Vec<(&str, &str)>) -> String {
    let words: Vec<_> = words.into_iter().map(|(word, _)| word).collect();
    format!("mapfile -t COMPREPLY < <(compgen -W \"{}\" -- \"$cur\")", words.join(" "))
}

fn flags(command: &CommandEntry) -> String {
    command.flags().map(|flag| format!("-{}", flag.name)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// What bash offers for these words, the last one half typed.
    fn completed(words: &[&str]) -> Vec<String> {
        let script = format!(
            "{}\ncompopt() {{ :; }}\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_{PROGRAM}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            render()
        );
        let output = Command::new("bash")
            .args(["--norc", "-euc", &script, PROGRAM, PROGRAM])
            .args(words)
            .output()
            .expect("there is a bash, as `make setup` installs it");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn bash_offers_what_fits() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a file.yaml");
        std::fs::write(&file, "").unwrap();
        let (file, start) = (file.to_str().unwrap(), format!("{}/a", dir.path().display()));
        let cases: &[(&[&str], &[&str])] = &[
            (&["-co"], &["-config", "-content"]),
            (&["--st"], &["--state-dir", "--strict"]),
            (&["sta"], &["status"]),
            (&["events", "-fo"], &["-follow"]),
            (&["alerts", "-class", "pr"], &["process"]),
            (&["rules", ""], &["check", "test", "explain", "except", "bench", "import"]),
            (&["rules", "import", ""], &["sigma"]),
            (&["rules", "import", "sigma", "-k"], &["-keep-level"]),
            (&["-config", "x", "--rules", "=", "y", "status", "-"], &["-run-dir", "-json", "-help"]),
            (&["rules", "explain", "-po"], &["-policy"]),
            (&["completions", ""], &["bash", "zsh", "fish"]),
            (&["-config", &start], &[file]),
            (&["--config", "=", &start], &[file]),
            (&["rules", "check", "one.yaml", &start], &[file]),
        ];
        for (words, expected) in cases {
            assert_eq!(completed(words), *expected, "{words:?}");
        }
    }
}

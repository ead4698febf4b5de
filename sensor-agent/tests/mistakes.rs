//! What each of the mistakes in `mistakes.yaml` gets from the program, and the page that shows it, docs/mistakes.md:
//! `UPDATE_DOCS=1 cargo test -p sensor-agent --test mistakes`.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize;

#[derive(Deserialize)]
struct Chapter {
    chapter: String,
    mistakes: Vec<Mistake>,
}

/// One mistake: what was meant to be written, and what of the report helps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Mistake {
    what: String,
    /// A main configuration.
    config: Option<String>,
    /// A file of policies.
    rules: Option<String>,
    /// One rule of a policy.
    rule: Option<String>,
    /// The type of that policy, if it is not `program`.
    policy: Option<String>,
    /// A file for `rules test`.
    cases: Option<String>,
    /// What stands behind the program's name.
    command: Option<String>,
    hint: String,
}

impl Mistake {
    /// What was written, as a file or a command has it.
    fn written(&self) -> &str {
        [&self.command, &self.cases, &self.rule, &self.rules, &self.config]
            .into_iter()
            .flatten()
            .next()
            .unwrap_or_else(|| panic!("{}: nothing is written", self.what))
    }

    /// All that the program says.
    fn said(&self) -> String {
        let folder = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        let rules = match &self.rule {
            Some(rule) => format!(
                "My Rule:\n  policy: {}\n  rules:\n  - '{}'\n  - default ignore\n",
                self.policy.as_deref().unwrap_or("program"),
                rule.replace('\'', "''")
            ),
            None => self.rules.clone().unwrap_or_default(),
        };
        write("config.yaml", self.config.as_deref().unwrap_or_default());
        write("rules.yaml", &rules);
        write("content.yaml", "");
        write("cases.yaml", self.cases.as_deref().unwrap_or_default());
        let mut program = Command::new(env!("CARGO_BIN_EXE_sophoslinuxsensor"));
        match &self.command {
            Some(command) => program.args(command.split(' ')),
            None => {
                if self.cases.is_some() {
                    program.args(["rules", "test", "cases.yaml"]);
                } else {
                    program.arg("-check");
                }
                program.args(["-config", "config.yaml", "-rules", "rules.yaml", "-content", "content.yaml"])
            }
        };
        let run = program.current_dir(folder.path()).env("NO_COLOR", "1").stdin(Stdio::null()).output().unwrap();
        format!("{}\n{}", String::from_utf8_lossy(&run.stderr), String::from_utf8_lossy(&run.stdout))
    }

    /// The finding that helps: of a report, the block between blank lines.
    fn finding(&self) -> String {
        let said = self.said();
        let finding = said.split("\n\n").find(|block| block.contains(&self.hint));
        let finding = finding.unwrap_or_else(|| panic!("{}: `{}` is not in\n{said}", self.what, self.hint));
        finding.lines().filter(|line| !line.starts_with("For the flags and commands")).collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn each_mistake_gets_its_advice_and_the_page_shows_it() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"));
    let chapters: Vec<Chapter> =
        serde_saphyr::from_str(&fs::read_to_string(file.join("tests/mistakes.yaml")).unwrap()).unwrap();
    let count: usize = chapters.iter().map(|chapter| chapter.mistakes.len()).sum();
    assert!(count >= 80, "{count} mistakes");
    let mut page =
        "# Mistakes\n\nWhat people write in place of what they mean, and what the sensor says then: look here for \
                    the message that you got, or for what you are used to write.\n"
            .to_owned();
    for Chapter { chapter, mistakes } in chapters {
        let _ = write!(page, "\n## {chapter}\n");
        for mistake in mistakes {
            let written = mistake.written().trim_end();
            let finding = mistake.finding();
            let mut what = mistake.what.clone();
            what[..1].make_ascii_uppercase();
            if mistake.command.is_some() {
                let _ =
                    write!(page, "\n**{what}**: `sophoslinuxsensor {written}`\n\n```text\n{}\n```\n", finding.trim());
            } else if written.contains('\n') {
                let _ = write!(page, "\n**{what}**\n\n```text\n{written}\n```\n\n```text\n{}\n```\n", finding.trim());
            } else {
                let _ = write!(page, "\n**{what}**: `` {written} ``\n\n```text\n{}\n```\n", finding.trim());
            }
        }
    }
    let place = file.join("../docs/mistakes.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&place, &page).unwrap();
    }
    let committed = fs::read_to_string(&place).unwrap_or_default();
    assert!(committed == page, "docs/mistakes.md is stale: UPDATE_DOCS=1 cargo test -p sensor-agent --test mistakes");
}

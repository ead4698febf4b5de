//! Held against Go: what it made of templates once (`cases.yaml`), and what the Go at hand makes of listed and generated
//! ones (`setup/install.sh test` installs it).

mod alerts;
mod grammar;

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

use alerts::{Alerts, fill, recorded};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/go");

#[test]
fn recorded_cases() {
    let alerts = Alerts::read();
    let cases = recorded();
    assert!(cases.len() >= 160);
    let mut wrong = Vec::new();
    for case in &cases {
        let get = |key: &str| case.get(key).and_then(|value| value.as_str()).unwrap_or_default();
        let ((outcome, text), error) = fill(get("template"), &alerts.get(get("data")));
        let wanted = if get("go_outcome") == "output" { get("go_output").as_bytes() } else { b"" };
        if outcome != get("go_outcome") || text != wanted {
            let text = String::from_utf8_lossy(&text);
            wrong.push(format!("{}: {}\n  {outcome} {text:?} {error}\n  {case:?}", get("name"), get("template")));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn recorded_cases_still_hold() {
    let cases = recorded();
    let get = |case: &serde_json::Map<String, serde_json::Value>, key: &str| {
        case.get(key).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    };
    let asked: Vec<_> = cases.iter().map(|case| (get(case, "template"), get(case, "data"))).collect();
    let (version, answers) = go(&asked);
    for (case, answer) in cases.iter().zip(answers) {
        if !get(case, "since").is_empty() && version < 24 {
            continue;
        }
        assert_eq!(answer.outcome, get(case, "go_outcome"), "{case:?}");
        if answer.outcome == "output" {
            assert_eq!(String::from_utf8_lossy(&answer.output), get(case, "go_output"), "{case:?}");
        }
    }
}

#[test]
fn listed_templates() {
    let text = std::fs::read_to_string(format!("{HERE}/listed.txt")).unwrap();
    let templates = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let templates: Vec<String> =
        templates.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect();
    assert!(templates.len() >= 160);
    compare(&templates);
}

#[test]
fn generated_templates() {
    let mut random = grammar::Random::new(20_240_229);
    compare(&(0..6_000).map(|_| grammar::template(&mut random)).collect::<Vec<_>>());
}

#[test]
fn generated_formats() {
    let mut random = grammar::Random::new(7);
    compare(&(0..6_000).map(|_| grammar::format(&mut random)).collect::<Vec<_>>());
}

#[test]
fn generated_tokens() {
    let mut random = grammar::Random::new(99);
    compare(&(0..6_000).map(|_| grammar::tokens(&mut random)).collect::<Vec<_>>());
}

/// Letters whose class is the same in all Unicode versions that Go had of late.
#[test]
fn letters_and_escapes() {
    let ranges =
        [0x80..0x530, 0x2000..0x20bf, 0x2190..0x2400, 0x3000..0x3100, 0xd7f0..0xe010, 0xfe00..0xff00, 0xfff0..0x10010];
    let letters = ranges.into_iter().flatten().chain([0x1f6a8, 0x10ffff]).filter_map(char::from_u32);
    let letters: Vec<char> = letters.collect();
    let mut templates: Vec<String> = Vec::new();
    for chunk in letters.chunks(32) {
        let text: String = chunk.iter().collect();
        templates.push(format!("{{{{printf \"%q %+q\" `{text}` `{text}`}}}}"));
        templates.push(format!("{{{{js `{text}`}}}}{{{{html `{text}`}}}}{{{{urlquery `{text}`}}}}"));
    }
    templates.extend(letters.iter().step_by(3).map(|char| format!("{{{{.AlertLabels.a{char}}}}}")));
    compare(&templates);
}

/// Fills each template with both alerts, here and with Go.
fn compare(templates: &[String]) {
    let alerts = Alerts::read();
    let asked: Vec<(String, String)> = templates
        .iter()
        .flat_map(|template| ["rich", "bare"].map(|data| (template.clone(), data.to_owned())))
        .collect();
    let (version, answers) = go(&asked);
    assert_eq!(answers.len(), asked.len());
    let values = [alerts.get("rich"), alerts.get("bare")];
    let (mut wrong, mut texts) = (Vec::new(), 0);
    for ((template, data), answer) in asked.iter().zip(answers) {
        if version < 24 && needs_newer_go(template, &answer) {
            continue;
        }
        let ((outcome, text), error) = fill(template, &values[usize::from(data == "bare")]);
        texts += usize::from(outcome == "output");
        let not_supported = error.contains("not supported");
        let same = outcome == answer.outcome && (outcome != "output" || text == answer.output);
        if !same && !not_supported {
            wrong.push(format!(
                "{template:?} ({data})\n  here {outcome} {:?} {error}\n  Go   {} {:?} {}",
                String::from_utf8_lossy(&text),
                answer.outcome,
                String::from_utf8_lossy(&answer.output),
                answer.error,
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}\n{}", wrong.len(), asked.len(), wrong[..wrong.len().min(8)].join("\n"));
    assert!(texts > asked.len() / 20, "{texts} texts of {}", asked.len());
}

/// `{{else with}}` came with Go 1.23, loops over numbers with 1.24.
fn needs_newer_go(template: &str, answer: &Answer) -> bool {
    answer.error.contains("range can't iterate over")
        || (answer.outcome == "parse_error" && template.contains("else with"))
}

struct Answer {
    outcome: String,
    output: Vec<u8>,
    error: String,
}

/// Asks Go: its version (the 24 of 1.24) and its answers.
fn go(asked: &[(String, String)]) -> (u32, Vec<Answer>) {
    let mut child = Command::new(renderer())
        .arg(format!("{HERE}/data.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = asked
        .iter()
        .map(|(template, data)| serde_json::json!({"Template": template, "Data": data}).to_string() + "\n")
        .collect();
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let version = lines.next().unwrap();
    let minor = version.strip_prefix("go1.").unwrap_or_else(|| panic!("{version}"));
    let minor = minor.split(|char: char| !char.is_ascii_digit()).next().unwrap().parse().unwrap();
    let answers = lines.map(|line| {
        let answer: serde_json::Value = serde_json::from_str(line).unwrap();
        let get = |key: &str| answer[key].as_str().unwrap().to_owned();
        let digits = get("output");
        let output = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
        Answer { outcome: get("outcome"), output: output.collect(), error: get("error") }
    });
    (minor, answers.collect())
}

/// Builds the program once for all tests. `GO` names another Go.
fn renderer() -> &'static PathBuf {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, program) = BUILT.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("render");
        let go = std::env::var_os("GO").unwrap_or_else(|| "go".into());
        let status = Command::new(&go)
            .args(["build", "-o"])
            .arg(&program)
            .arg(format!("{HERE}/render.go"))
            .current_dir(folder.path())
            .env("GOCACHE", folder.path().join("cache"))
            .env("GOTOOLCHAIN", "local")
            .status()
            .unwrap_or_else(|error| panic!("{}: {error}; setup/install.sh test installs it", go.display()));
        assert!(status.success());
        (folder, program)
    });
    program
}

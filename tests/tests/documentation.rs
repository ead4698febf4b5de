//! What the documentation shows is true: its configurations are accepted, its cases pass, its commands are there.
//!
//! | block | what is done with it |
//! | --- | --- |
//! | ```` ```yaml ```` | `-check`, on top of the shipped content: no error and no unknown key; other warnings, such as of a file that a reader has and the test has not, are let pass |
//! | ```` ```yaml cases ```` | `rules test`, with the last ```` ```yaml ```` before it as rules |
//! | ```` ```yaml fragment ```` | nothing: a part, or another file's |
//! | ```` ```sh run ```` | run, in a folder that has `documentation/` |
//! | ```` ```sh booted ```` | run by `tests/packages/run`, where the sensor runs as its unit |
//! | ```` ```sh apt ```` | what `tests/packages/run` installs the packages with |
//! | ```` ```sh rpm ```` | the same of `tests/packages/rpm` |
//! | ```` ```sh container ````, ```` ```sh siem container ````, ```` ```sh kubernetes ```` | run by `tests/packages/container` |
//! | ```` ```sh make ```` | `make --dry-run`: the goals are there and what they need is known. They are not run: they build, or test, everything |
//! | ```` ```console ```` | the command after `$` is run as in `sh run` and must print the rest |
//! | ```` ```sh tutorial ````, ```` ```console tutorial ```` | run by `tests/tests/tutorials.rs`, the page from top to bottom in one shell |
//! | ```` ```yaml siem ```` | read as the YAML configuration of `sensor-siem`, with its secret in a folder of the test: no finding |
//! | ```` ```ini ```` | read as the configuration of `sensor-siem`: no finding |
//! | ```` ```sql ```` | nothing here |
//! | ```` ```text ```` | nothing: no commands |
//!
//! A block of another kind, or without one, is an error. In every block of commands, each line that begins with the
//! sensor's name must be understood by it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Block, Home, Said, blocks, programs};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn pages() -> Vec<PathBuf> {
    let docs = fs::read_dir(root().join("docs")).expect("the documentation");
    let mut pages: Vec<PathBuf> = docs.map(|entry| entry.expect("an entry").path()).collect();
    pages.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    pages.sort();
    pages
}

fn content() -> String {
    fs::read_to_string(root().join("etc/content/runtimedetections-content.yaml")).expect("the shipped content")
}

#[test]
fn configurations_and_cases_hold() {
    let content = content();
    let (mut checked, mut tested) = (0, 0);
    for page in pages() {
        let home = Home::new("");
        home.write_content(&content);
        for block in blocks(&page) {
            match block.kind.as_str() {
                "yaml" => {
                    home.write_config(&block.text);
                    let said = home.run(&["-check"]);
                    assert_eq!(said.code, Some(0), "{}: {}", block.place, said.stderr);
                    assert!(!said.stderr.contains("unknown key"), "{}: {}", block.place, said.stderr);
                    checked += 1;
                }
                "yaml cases" => {
                    home.write("cases.yaml", &block.text);
                    let said = test_rules(&home);
                    assert_eq!(said.code, Some(0), "{}: {}{}", block.place, said.stdout, said.stderr);
                    tested += 1;
                }
                _ => {}
            }
        }
    }
    assert!(checked > 10 && tested > 10, "{checked} configurations, {tested} files of cases");
}

#[test]
fn configurations_of_the_export_hold() {
    let mut checked = 0;
    for block in pages().iter().flat_map(|page| blocks(page)).filter(|block| block.kind == "ini") {
        let mut report = diagnostic::Report::default();
        let config = sensor_siem::config_ini::read(&block.place, &block.text, Path::new("/"), &mut report);
        assert!(config.is_some() && report.diagnostics().is_empty(), "{report}");
        checked += 1;
    }
    assert!(checked > 0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        path
    };
    write("secret", "made-up\n");
    let mut checked = 0;
    for block in pages().iter().flat_map(|page| blocks(page)).filter(|block| block.kind == "yaml siem") {
        let text = block.text.replace("/etc/sensor-siem", &folder.path().to_string_lossy());
        let path = write("config.yaml", &text);
        let mut report = diagnostic::Report::default();
        let config = sensor_siem::config::load(&path, &Default::default(), &mut report);
        assert!(config.is_some() && report.diagnostics().is_empty(), "{}: {report}", block.place);
        checked += 1;
    }
    assert!(checked > 0);
}

fn test_rules(home: &Home) -> Said {
    let mut command = home.command(&["rules", "test"]);
    for (flag, name) in [("-config", "config.yaml"), ("-content", "content.yaml"), ("-rules", "rules.yaml")] {
        command.arg(flag).arg(home.file(name));
    }
    Said::of(command.arg(home.file("cases.yaml")))
}

/// Runs commands as a reader would, in a folder that has what they name.
fn run(script: &str, home: &Home) -> Said {
    let program = programs::sensor();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", program.parent().expect("its folder").display());
    let mut command = Command::new("sh");
    Said::of(command.args(["-euc", script]).env_clear().env("PATH", &path).current_dir(home.path()))
}

/// A folder with the files that the commands of the documentation name.
fn folder_of_a_reader() -> Home {
    let home = Home::new("");
    for entry in fs::read_dir(root().join("tests/tests/documentation")).expect("the files") {
        let file = entry.expect("an entry");
        let text = fs::read_to_string(file.path()).expect("a file");
        home.write(&file.file_name().to_string_lossy(), &text);
    }
    home
}

/// What the sensor is asked by a line, if it is the sensor that is asked.
fn asked(line: &str) -> Option<Vec<&str>> {
    let words: Vec<&str> = line.split(" #").next()?.split_whitespace().collect();
    let (program, arguments) = words.split_first()?;
    let arguments = arguments.iter().take_while(|word| !["|", ">", "&&"].contains(word));
    (*program == "sophoslinuxsensor").then(|| arguments.copied().collect())
}

#[test]
fn commands_are_there() {
    let home = folder_of_a_reader();
    let mut counts = BTreeMap::<String, u32>::new();
    for block in pages().iter().flat_map(|page| blocks(page)) {
        let Block { place, kind, text } = &block;
        *counts.entry(kind.clone()).or_default() += 1;
        match kind.as_str() {
            "sh run" => {
                let said = run(text, &home);
                assert_eq!(said.code, Some(0), "{place}: {}", said.stderr);
            }
            "console" => {
                let (command, wanted) = text.split_once('\n').expect("a command and what it prints");
                let command =
                    command.strip_prefix("$ ").unwrap_or_else(|| panic!("{place}: the first line is no command"));
                let said = run(command, &home);
                assert_eq!(said.stdout.trim_end().to_owned() + said.stderr.trim_end(), wanted.trim_end(), "{place}");
            }
            "sh make" => {
                for line in text.lines() {
                    let words = line.split(" #").next().unwrap_or_default();
                    let goals = words.strip_prefix("make ").unwrap_or_else(|| panic!("{place}: {line}"));
                    let said = Said::of(
                        Command::new("make").arg("--dry-run").args(goals.split_whitespace()).current_dir(root()),
                    );
                    assert_eq!(said.code, Some(0), "{place}: make {goals}: {}", said.stderr);
                }
            }
            "sh booted" | "sh apt" | "sh rpm" | "sh container" | "sh siem container" | "sh kubernetes" => {}
            "sh tutorial" | "console tutorial" => {
                let is_run = ["siem-tutorial.md:", "central-web.md:"].iter().any(|page| place.starts_with(page));
                assert!(is_run, "{place}: nobody runs a tutorial of this page");
                continue;
            }
            "yaml" | "yaml cases" | "yaml fragment" | "yaml siem" | "ini" | "sql" => continue,
            "text" => {
                let is_command = |line: &&str| {
                    [
                        "$ ",
                        "# systemctl",
                        "sophoslinuxsensor -",
                        "curl ",
                        "systemctl ",
                        "podman ",
                        "docker ",
                        "kubectl ",
                        "apt",
                    ]
                    .iter()
                    .any(|begin| line.starts_with(begin))
                };
                assert_eq!(text.lines().find(is_command), None, "{place}: commands are of a kind of their own");
            }
            _ => panic!("{place}: a block of the kind `{kind}`: the head of this file has those that there are"),
        }
        for arguments in text.lines().filter_map(asked) {
            // Help is given for what is understood: commands and flags that do not exist are refused.
            let said = Said::of(&mut home.command(&[&arguments[..], &["-help"]].concat()));
            assert_eq!(said.code, Some(0), "{place}: {arguments:?}: {}", said.stderr);
        }
    }
    for (kind, least) in [("sh run", 2), ("sh booted", 8), ("sh make", 3), ("console", 1), ("sh container", 1)] {
        assert!(counts.get(kind) >= Some(&least), "{kind}: {counts:?}");
    }
}

/// One run of the kernels makes both tables.
#[test]
fn the_readme_tells_of_the_kernels_that_were_tried() {
    let kernels = |page: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join(page)).expect("a page");
        let (_, rest) = text.split_once("<!-- matrix: begin").expect("the mark where the table begins");
        let (table, _) = rest.split_once("<!-- matrix: end -->").expect("the mark where it ends");
        let rows = table.lines().filter(|line| line.starts_with("| ")).skip(2);
        rows.filter_map(|row| Some(row.split(" | ").next()?.to_owned())).collect()
    };
    let tried = kernels("docs/kernels.md");
    assert!(tried.len() > 5, "{tried:?}");
    assert_eq!(kernels("README.md"), tried, "UPDATE_DOCS=1 make test-kernels writes both");
}

/// Blocks by indentation have no kind.
#[test]
fn blocks_are_fenced() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let (mut fenced, mut blank) = (false, true);
        for (number, line) in text.lines().enumerate() {
            fenced ^= line.trim_start().starts_with("```");
            let indented = !fenced && blank && line.starts_with("    ");
            assert!(!indented, "{}:{}: a block without a fence: {line}", page.display(), number + 1);
            blank = line.trim().is_empty();
        }
    }
}

/// What the headings of a page are called in links.
fn anchors(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).expect("a page");
    let mut fenced = false;
    let is_heading = |line: &&str| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced && line.starts_with('#')
    };
    let anchor = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        words
            .chars()
            .filter(|char| char.is_alphanumeric() || " -_".contains(*char))
            .collect::<String>()
            .replace(' ', "-")
    };
    text.lines().filter(is_heading).map(anchor).collect()
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap_or_default();
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().expect("its folder").join(file) };
            assert!(path.exists(), "{}: {target}", page.display());
            assert!(
                anchor.is_empty() || anchors(&path).iter().any(|one| one == anchor),
                "{}: {target}",
                page.display()
            );
        }
    }
}

#[test]
fn pages_of_a_package_lead_to_one_another_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let of_package: Vec<PathBuf> = pages()
        .into_iter()
        .filter(|page| page.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"siem")))
        .collect();
    let made = Command::new(root().join("packaging/pages")).arg(folder.path()).args(&of_package).status();
    assert!(made.is_ok_and(|status| status.success()));
    let mut kept = 0;
    for page in &of_package {
        let text = fs::read_to_string(folder.path().join(page.file_name().expect("a name"))).expect("a page");
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            assert!(target.contains("://") || folder.path().join(target).exists(), "{}: {target}", page.display());
            kept += 1;
        }
    }
    assert!(kept > 5, "links within the package stay: {kept}");
}

//! What the documentation shows is true: its configurations are accepted, its cases pass, its commands are there.
//!
//! | block | what is done with it |
//! | --- | --- |
//! | ```` ```yaml ```` | `-check -strict`, on top of the shipped content; whatever it names must be there |
//! | ```` ```yaml cases ```` | `rules test`, with the last ```` ```yaml ```` before it as rules |
//! | ```` ```yaml fragment ```` | nothing: a part, or another file's |
//! | ```` ```sh run ```` | run, in an empty folder |
//! | ```` ```sh ```` | each line that begins with the sensor's name must be understood by it; `make` goals must be there |

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sensor_tests::{Home, Said, programs};

/// A fenced block.
struct Block {
    /// File and line, for messages.
    place: String,
    /// What stands behind the fence.
    kind: String,
    text: String,
}

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

fn blocks(page: &Path) -> Vec<Block> {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let mut blocks: Vec<Block> = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(kind), None) => {
                let name = page.file_name().unwrap_or_default().to_string_lossy();
                let place = format!("{name}:{}", number + 1);
                open = Some(Block { place, kind: kind.trim().into(), text: String::new() });
            }
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block has no end", page.display());
    blocks
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

fn test_rules(home: &Home) -> Said {
    let mut command = home.command(&["rules", "test"]);
    for (flag, name) in [("-config", "config.yaml"), ("-content", "content.yaml"), ("-rules", "rules.yaml")] {
        command.arg(flag).arg(home.file(name));
    }
    Said::of(command.arg(home.file("cases.yaml")))
}

#[test]
fn commands_are_there() {
    let makefile = fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    let folder = programs::sensor();
    let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", folder.parent().expect("its folder").display());
    let home = Home::new("");
    let (mut run, mut understood) = (0, 0);
    for block in pages().iter().flat_map(|page| blocks(page)) {
        match block.kind.as_str() {
            "sh run" => {
                let said = Said::of(
                    Command::new("sh")
                        .args(["-euc", &block.text])
                        .env_clear()
                        .env("PATH", &path)
                        .current_dir(home.path()),
                );
                assert_eq!(said.code, Some(0), "{}: {}", block.place, said.stderr);
                run += 1;
            }
            "sh" => {
                for line in block.text.lines() {
                    let line = line.split(" #").next().unwrap_or_default();
                    let words: Vec<&str> =
                        line.split_whitespace().skip_while(|word| ["sudo", "$"].contains(word)).collect();
                    match words.as_slice() {
                        ["sophoslinuxsensor", arguments @ ..] => {
                            // Help is given for what is understood: commands and flags that do not exist are refused.
                            let arguments: Vec<&str> =
                                arguments.iter().take_while(|word| !["|", ">", "&&"].contains(word)).copied().collect();
                            let said = Said::of(&mut home.command(&[&arguments[..], &["-help"]].concat()));
                            assert_eq!(said.code, Some(0), "{}: {line}: {}", block.place, said.stderr);
                            understood += 1;
                        }
                        ["make", goals @ ..] => {
                            for goal in goals.iter().filter(|goal| !goal.contains('=')) {
                                assert!(makefile.contains(&format!("\n{goal}:")), "{}: make {goal}", block.place);
                            }
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    assert!(run > 0 && understood > 10, "{run} run, {understood} understood");
}

#[test]
fn links_between_pages_lead_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = page.parent().expect("its folder").join(target);
            assert!(path.exists(), "{}: {target}", page.display());
        }
    }
}

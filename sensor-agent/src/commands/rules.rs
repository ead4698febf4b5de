//! `rules check`, `rules test` and `rules explain`: for the people who write rules.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use diagnostic::terminal::counted;
use diagnostic::{Report, Span, nearest, printable};
use settings::Environment;

use super::{fail, paths, print, show};
use crate::cli::{Exit, Options};
use crate::config::Paths;
use crate::event::build::build;
use crate::plan::rule_books;
use crate::rules::{CaseResult, ChainIndex, Explanation, RuleSet, Verdict, case_faults, read_cases, run_cases};

/// Checks each file as if it were the main configuration, on top of the content.
pub(super) fn check(options: &Options, files: &[PathBuf]) -> Exit {
    let mut refused = false;
    for file in files {
        let content = paths(options).content;
        let paths = Paths { main: Some(file.clone()), content, ..Paths::default() };
        let mut report = Report::default();
        // A file of rules says nothing of outputs, and is not to.
        let config = crate::config::load(&paths, &Environment::default(), &mut report);
        let plan = crate::plan::plan(&config, &mut report);
        show(&report);
        refused |= report.has_errors();
        let verdict = if report.has_errors() { "refused" } else { "right" };
        let text =
            format!("{}: {verdict}, {} on\n", printable(&file.display().to_string()), policies(plan.policies.len()));
        if print(&text) != Exit::Fine {
            return Exit::Failure;
        }
    }
    if refused { Exit::Config } else { Exit::Fine }
}

/// Runs cases against the configured policies, also those that are off.
pub(super) fn test(options: &Options, files: &[PathBuf]) -> Exit {
    let Some(books) = books(options) else { return Exit::Config };
    let (mut run, mut failed) = (0_usize, 0_usize);
    for file in files {
        let name = printable(&file.display().to_string()).into_owned();
        let text = match fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => return fail(&format!("{name}: {error}")),
        };
        let cases = match read_cases(&text) {
            Ok(cases) => cases,
            Err(error) => {
                let mut report = Report::default();
                case_faults(&name, &text, &error, &mut report);
                show(&report);
                return Exit::Failure;
            }
        };
        for (case, outcome) in cases.iter().zip(run_cases(&cases, |policy| find(&books, policy))) {
            run += 1;
            if !outcome.passed() {
                failed += 1;
                let near = match outcome.result {
                    CaseResult::UnknownPolicy => near(&books, &outcome.policy),
                    _ => String::new(),
                };
                if print(&format!("{name}:{}: {outcome}{near}\n", case.line)) != Exit::Fine {
                    return Exit::Failure;
                }
            }
        }
    }
    let text = format!("{}, {failed} failed\n", counted(run, "case", "cases"));
    match print(&text) {
        Exit::Fine if failed > 0 || run == 0 => Exit::Failure,
        exit => exit,
    }
}

/// Tells which rule decides about an event, for one policy or all of them.
pub(super) fn explain(options: &Options, event: &Path, policy: Option<&str>, all: bool) -> Exit {
    let Some(books) = books(options) else { return Exit::Config };
    let text = match read(event) {
        Ok(text) => text,
        Err(error) => return fail(&format!("{}: {error}", event.display())),
    };
    let value: serde_json::Value = match serde_json::from_str(&text) {
        Ok(value) => value,
        Err(error) => {
            show(&no_json(event, &text, &error));
            return Exit::Failure;
        }
    };
    let (event, host) = match build(&value) {
        Ok(built) => built,
        Err(errors) => {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return fail(&texts.join("\n"));
        }
    };
    let chains: Vec<(&RuleSet, ChainIndex)> = match policy {
        None => books
            .iter()
            .filter(|rules| rules.sees(event.kind))
            .flat_map(|rules| (0..rules.len()).map(move |chain| (rules, ChainIndex(chain))))
            .collect(),
        Some(name) => match find(&books, name) {
            Some((rules, _)) if !rules.sees(event.kind) => {
                let (sees, is) = (rules.seen().name(), event.kind.word());
                return fail(&format!("`{name}` sees {sees} events alone, and this is one of type {is}"));
            }
            Some(found) => vec![found],
            None => return fail(&format!("there is no policy `{name}` in the configuration{}", near(&books, name))),
        },
    };
    let explanations: Vec<_> =
        chains.iter().filter_map(|(rules, chain)| rules.explain(*chain, &event, &host)).collect();
    print(&if all || policy.is_some() {
        in_full(&explanations)
    } else {
        summed_up(explanations, value["strategy_name"].as_str())
    })
}

fn in_full(explanations: &[Explanation]) -> String {
    explanations.iter().map(|explanation| format!("{explanation}\n")).collect()
}

/// In full what matches, the policy that raised the alert before all; of the others, how many say what.
fn summed_up(explanations: Vec<Explanation>, raised_by: Option<&str>) -> String {
    let has_raised = |one: &Explanation| raised_by == Some(one.name.as_str());
    let (mut told, others): (Vec<_>, Vec<_>) =
        explanations.into_iter().partition(|one| has_raised(one) || one.verdict == Some(Verdict::Match));
    told.sort_by_key(|one| !has_raised(one));
    let ignore = others.iter().filter(|one| one.verdict.is_some()).count();
    let count = |count, says: &str| match count {
        0 => String::new(),
        count => format!("{} {says}\n", policies(count)),
    };
    let text = if told.is_empty() { "no policy matches this event\n\n".to_owned() } else { in_full(&told) };
    let hint = if others.is_empty() { "" } else { "why: -policy NAME for one of them, -all for each\n" };
    text + &count(ignore, "besides: ignored") + &count(others.len() - ignore, "besides: nothing said") + hint
}

/// Where a text stops to be the JSON of one event.
fn no_json(path: &Path, text: &str, error: &serde_json::Error) -> Report {
    let mut report = Report::default();
    let source = report.add_source(path.display().to_string(), text);
    let line: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let start = text.floor_char_boundary((line + error.column().saturating_sub(1)).min(text.len()));
    let end = text.ceil_char_boundary((start + 1).min(text.len()));
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    let help = if said.contains("trailing") && text.trim_start().starts_with('{') {
        "give one event or alert: this goes on behind the first"
    } else {
        "give an event or an alert as JSON, as `sophoslinuxsensor alerts -json` prints it; cases in YAML are for `rules test`"
    };
    report
        .error(Span { source, bytes: start..end }, format!("this is no JSON: {said}"))
        .label("cannot be read from here on")
        .help(help);
    report
}

fn policies(count: usize) -> String {
    counted(count, "policy", "policies")
}

fn books(options: &Options) -> Option<Vec<RuleSet>> {
    let mut report = Report::default();
    let config = crate::config::load(&paths(options), &Environment::of_process(), &mut report);
    let books = rule_books(&config, &mut report);
    show(&report);
    (!report.has_errors()).then_some(books)
}

fn find<'a>(books: &'a [RuleSet], policy: &str) -> Option<(&'a RuleSet, ChainIndex)> {
    books.iter().find_map(|rules| {
        let chain = (0..rules.len()).map(ChainIndex).find(|&chain| rules.chain_name(chain) == policy)?;
        Some((rules, chain))
    })
}

/// The policy whose name is most like this one.
fn near(books: &[RuleSet], policy: &str) -> String {
    let names = books.iter().flat_map(|rules| (0..rules.len()).map(|chain| rules.chain_name(ChainIndex(chain))));
    nearest(policy, names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

pub(super) fn read(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_is_told_in_full_and_the_rest_counted() {
        let of = |name: &str, verdict| Explanation {
            name: name.to_owned(),
            verdict,
            decided_by: None,
            rules: 1,
            steps: Vec::new(),
        };
        let (matches, ignores) = (Some(Verdict::Match), Some(Verdict::Ignore));
        let all = vec![of("A", ignores), of("B", matches), of("C", matches), of("D", None), of("E", ignores)];
        let text = summed_up(all, Some("C"));
        assert!(text.find("`C`") < text.find("`B`") && !text.contains("`A`"), "{text}");
        assert!(text.contains("2 policies besides: ignored\n1 policy besides: nothing said\nwhy: "), "{text}");
        // Rules may have changed since the alert.
        assert!(summed_up(vec![of("A", ignores)], Some("A")).contains("`A`"));
        assert!(summed_up(vec![of("A", ignores)], None).starts_with("no policy matches this event\n"));
    }

    #[test]
    fn what_is_no_json_is_shown_with_its_line() {
        for (text, place, help) in [
            ("- policy: P\n", ":1:2", "`rules test`"),
            ("{\"a\": 1,\n é}\n", ":2:2", "as JSON"),
            ("{}\n{}\n", ":2:1", "goes on behind the first"),
            ("", ":1:1", "as JSON"),
        ] {
            let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
            let said = no_json(Path::new("e"), text, &error).to_string();
            assert!(said.contains(place) && said.contains(help), "{text}: {said}");
        }
    }
}

use super::*;
use crate::example::SCHEMA;

fn read(text: &str) -> (Result<Node, String>, Report) {
    let mut report = Report::default();
    let source = report.add_source("a.yaml", text);
    let node = parse(text, source, &SCHEMA, &mut report).map_err(|broken| broken.message);
    (node, report)
}

fn value(text: &str) -> Node {
    let (node, report) = read(text);
    assert!(report.diagnostics().is_empty(), "{report}");
    node.unwrap().entries()[0].value.clone()
}

#[test]
fn a_verbatim_scalar_is_where_its_span_says() {
    for text in
        ["a: match x == 1", "a: 'match x == 1'", "a: \"match x == 1\"", "a: match x == 1 # why", "{a: match x == 1}"]
    {
        let node = value(text);
        let scalar = node.scalar().unwrap();
        assert_eq!((scalar.text.as_str(), scalar.verbatim), ("match x == 1", true), "{text}");
        assert_eq!(&text[node.span.bytes.clone()], "match x == 1", "{text}");
    }
}

#[test]
fn a_scalar_that_is_written_otherwise_is_not_verbatim() {
    for text in ["a: 'it''s'", "a: \"x\\ty\"", "a: >\n  one\n  two\n", "a: one\n  two"] {
        assert!(!value(text).scalar().unwrap().verbatim, "{text}");
    }
}

#[test]
fn quotes_tell_text_from_numbers_and_nothing() {
    assert_eq!(value("a: 1").kind(), "a number");
    assert_eq!(value("a: '1'").kind(), "text");
    assert_eq!(value("a: !!str 1").kind(), "text");
    assert_eq!(value("a: TRUE").kind(), "true or false");
    assert_eq!(value("a: 'true'").kind(), "text");
    assert_eq!(value("a:").kind(), "nothing");
    assert_eq!(value("a: ''").kind(), "text");
    assert_eq!(value("a: 'null'").kind(), "text");
}

#[test]
fn a_key_given_twice_names_both_places() {
    let (_, report) = read("a: 1\nb: 2\na: 3\n");
    let finding = &report.diagnostics()[0];
    assert_eq!(report.line_and_column(finding.span.as_ref().unwrap()), (3, 1));
    assert_eq!(report.line_and_column(&finding.related[0].0), (1, 1));
}

#[test]
fn aliases_and_merge_keys_are_resolved() {
    let (node, report) = read("a: &x {one: 1, two: 2}\nb: {<<: *x, two: 3}\nc: *x\n");
    assert!(!report.has_errors(), "{report}");
    let node = node.unwrap();
    let b = node.entries()[1].value.entries();
    assert_eq!(b.iter().map(|entry| entry.key.value.as_str()).collect::<Vec<_>>(), ["two", "one"]);
    assert_eq!(b[0].value.scalar().unwrap().text, "3");
    assert_eq!(node.entries()[2].value.entries().len(), 2);
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let below = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!("a{level}: &a{level} [{below}]\n"));
    }
    assert!(read(&text).0.unwrap_err().contains("expand to more"));
    assert!(read("a: &a [*a]").0.unwrap_err().contains("part of"));
}

#[test]
fn deep_nesting_and_second_documents_are_refused() {
    assert!(read(&"[".repeat(100_000)).0.is_err());
    assert!(read(&(0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>()).0.is_err());
    assert!(read("a: 1\n---\nb: 2\n").0.unwrap_err().contains("second document"));
    assert!(read("---\na: 1\n").0.is_ok());
}

#[test]
fn line_ends_of_other_systems_are_taken() {
    let (node, _) = read("a: one\r\nb:\r\n  - two\r\n");
    let node = node.unwrap();
    assert_eq!(node.entries()[0].value.scalar().unwrap().text, "one");
    assert_eq!(node.entries()[1].value.items()[0].scalar().unwrap().text, "two");
}

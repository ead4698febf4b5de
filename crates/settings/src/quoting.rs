//! Texts that YAML takes for something else because they stand without quotes, or in the wrong ones.

use std::ops::Range;

use crate::schema::Schema;
use crate::secrets;

/// Lines in which a quote is looked for that is not closed.
const LINES_BEFORE: usize = 20;

/// Texts that are longer are not repeated in advice.
const REPEATED_AT_MOST: usize = 160;

/// What to write instead of the line that a parser stopped in; none if quotes have nothing to do with it.
pub(crate) fn advice(parser_says: &str, text: &str, offset: usize, schema: &Schema) -> Option<String> {
    if parser_says.contains("comment intercepting") {
        return Some(
            "a blank and # begin a comment, which cannot stand within a text of several lines: put the whole text in single \
             quotes, '…', or the comment in a line above the text"
                .to_owned(),
        );
    }
    if let Some(item) = cut_item(text, offset) {
        return Some(format!(
            "a comma or bracket ends an item of a list in brackets; an item that holds one needs single quotes: {}",
            single("", item, schema)
        ));
    }
    let (key, value) = value_at(text, offset);
    let single = |text: &str| single(key, text, schema);
    let first = value.chars().next()?;
    let blank_follows = value[first.len_utf8()..].chars().next().is_none_or(|next| next == ' ');
    match first {
        '"' | '\'' if parser_says.contains("unclosed") || is_open(value) => Some(format!(
            "end the text with the same quote, {first}; one that holds quotes itself needs single quotes around it: 'name == \"value\"'"
        )),
        '"' if parser_says.contains("escape") || parser_says.contains("hexadecimal") => Some(format!(
            "within double quotes a backslash begins an escape; put the text in single quotes: {}",
            single(inner(value))
        )),
        '\'' if parser_says.contains("trailing") && inner(value).matches('\'').count().is_multiple_of(2) => {
            Some(format!("within single quotes use double ones: {}", single(&inner(value).replace('\'', "\""))))
        }
        '"' | '\'' if parser_says.contains("trailing") => {
            Some(format!("put the whole in single quotes: {}", single(inner(value))))
        }
        '[' | '{' if parser_says.contains("unclosed") => {
            let close = if first == '[' { ']' } else { '}' };
            Some(format!("close it with {close}; text that begins with {first} needs single quotes: {}", single(value)))
        }
        '|' | '>' => Some(format!(
            "behind {first} the text begins on the next line; text that begins with {first} needs single quotes: {}",
            single(value)
        )),
        '{' | '[' | '}' | ']' | '*' | '&' | '!' | '%' | '@' | '`' | ',' => {
            Some(format!("text that begins with {first} needs single quotes: {}", single(value)))
        }
        '-' | '?' | ':' if blank_follows => {
            Some(format!("text that begins with `{first} ` needs single quotes: {}", single(value)))
        }
        _ if value.contains(": ") || value.ends_with(':') => {
            Some(format!("text with `: ` in it needs single quotes: {}", single(value)))
        }
        _ if parser_says.contains("simple key") => {
            Some("write a key with its value, `key: value`, or an item of a list, `- value`".to_owned())
        }
        _ => None,
    }
}

/// Where a quote begins that is not closed in its line, when that is what a parser stumbles over later.
pub(crate) fn open_before(parser_says: &str, text: &str, offset: usize) -> Option<usize> {
    if !(parser_says.contains("quoted") || parser_says.contains("unclosed quote")) {
        return None;
    }
    let mut end = text[..offset].rfind('\n')?;
    // The quote before this place may be the one that it opens with.
    if offset > value_start(text, offset) + 1 && parser_says.contains("trailing") {
        return None;
    }
    for _ in 0..LINES_BEFORE {
        let (_, value) = value_at(text, end);
        if is_open(value) {
            return Some(value_start(text, end));
        }
        end = text[..end].rfind('\n')?;
    }
    None
}

/// The value of the line that this is in, in single quotes.
pub(crate) fn whole_value(text: &str, offset: usize, schema: &Schema) -> String {
    let (key, value) = value_at(text, text.floor_char_boundary(offset));
    single(key, value, schema)
}

/// The value of a line from here to its end in single quotes.
pub(crate) fn rest_of_line(text: &str, start: usize, schema: &Schema) -> String {
    let rest = text.get(start..).unwrap_or_default();
    single("", without_line_end(rest), schema)
}

/// Where a comment stands that may have cut a text off: one that begins right behind it in the line that it ends in.
///
/// A comment two blanks away, with a blank behind its `#`, is meant as one, if the text before it is whole.
pub(crate) fn cut(text: &str, value: &str, end: usize) -> Option<Range<usize>> {
    let rest = without_line_end(text.get(end..)?);
    let comment = rest.trim_start_matches([' ', '\t']);
    let blanks = rest.len() - comment.len();
    let behind = comment.strip_prefix('#')?;
    let is_meant = blanks > 1 && (behind.is_empty() || behind.starts_with([' ', '\t', '#'])) && is_whole(value);
    (blanks > 0 && !is_meant).then(|| end + blanks..end + rest.trim_end().len())
}

/// Where a comment begins, at or before this place, that took the end of a list or a mapping in brackets with it: a parser
/// goes on in the lines below and stops far away from it.
pub(crate) fn comment_in_brackets(text: &str, offset: usize) -> Option<Range<usize>> {
    let line_end = text[offset..].find('\n').map_or(text.len(), |newline| offset + newline);
    let mut end = line_end;
    for line in text[..line_end].rsplit('\n').take(LINES_BEFORE) {
        let start = end - line.len();
        if let Some(at) = cut_brackets(line) {
            return Some(start + at..start + line.trim_end().len());
        }
        end = start.saturating_sub(1);
    }
    None
}

/// The item of a list in brackets that this place is in, if it is a text without quotes that has commas between parentheses, or
/// brackets behind a word.
fn cut_item(text: &str, offset: usize) -> Option<&str> {
    let line_start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let line = without_line_end(&text[line_start..]);
    let (mut start, mut within, mut in_quotes, mut before) = (None, 0_usize, false, ' ');
    for (at, char) in line.char_indices() {
        match char {
            '"' => in_quotes = !in_quotes,
            _ if in_quotes => {}
            '(' => within += 1,
            '[' if before.is_alphanumeric() => within += 1,
            ')' => within = within.saturating_sub(1),
            ']' if within > 0 => within -= 1,
            _ if within > 0 => {}
            '[' | '{' | ',' | ']' | '}' if at >= offset - line_start => {
                let item = line[start?..at].trim();
                let is_text = !item.starts_with(['"', '\'', '[', '{']);
                let is_cut = item.contains('(') && item.contains(',') || item.contains('[');
                return (is_text && is_cut).then_some(item);
            }
            '[' | ',' => start = Some(at + 1),
            '{' | ']' | '}' => start = None,
            _ => {}
        }
        before = char;
    }
    None
}

/// Where a comment begins in a line in which brackets are open that only the comment closes.
fn cut_brackets(line: &str) -> Option<usize> {
    let (mut open, mut quote, mut before) = (0_i32, None, ' ');
    for (at, char) in line.char_indices() {
        match (quote, char) {
            (Some(closing), _) if char == closing => quote = None,
            (Some(_), _) => {}
            // A quote within a word is none.
            (None, '"' | '\'') if " [{,:".contains(before) => quote = Some(char),
            (None, '[' | '{') => open += 1,
            (None, ']' | '}') => open -= 1,
            (None, '#') if before == ' ' || before == '\t' => {
                return (open > 0 && line[at..].contains([']', '}'])).then_some(at);
            }
            (None, _) => {}
        }
        before = char;
    }
    None
}

/// Whether no quote and no brace is open at the end.
pub(crate) fn is_whole(value: &str) -> bool {
    let is_even = |quote: char| value.matches(quote).count().is_multiple_of(2);
    is_even('"') && is_even('`') && value.matches("{{").count() <= value.matches("}}").count()
}

/// The key and the value of the line that this is in; the key is empty in an item of a list.
fn value_at(text: &str, offset: usize) -> (&str, &str) {
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let mut line = without_line_end(&text[start..]).trim();
    while let Some(item) = line.strip_prefix("- ") {
        line = item.trim_start();
        // A second dash belongs to the value.
        if line.starts_with("- ") {
            return ("", line);
        }
    }
    match line.split_once(':') {
        Some((key, value)) if is_key(key) && (value.is_empty() || value.starts_with([' ', '\t'])) => {
            (key, value.trim())
        }
        _ => ("", line),
    }
}

/// Where that value begins.
fn value_start(text: &str, offset: usize) -> usize {
    let start = text[..offset].rfind('\n').map_or(0, |newline| newline + 1);
    let (_, value) = value_at(text, offset);
    start + without_line_end(&text[start..]).trim_end().len() - value.len()
}

fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn without_line_end(text: &str) -> &str {
    text.split(['\n', '\r']).next().unwrap_or_default()
}

/// Whether a text begins with a quote and has no other.
fn is_open(value: &str) -> bool {
    value.starts_with(['"', '\'']) && value.chars().next().is_some_and(|quote| value.matches(quote).count() == 1)
}

/// A text without the quotes around it, if it has such.
fn inner(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

fn single(key: &str, text: &str, schema: &Schema) -> String {
    let text = text.trim();
    if secrets::is_secret(key, schema) || text.len() > REPEATED_AT_MOST {
        return "'…'".to_owned();
    }
    format!("'{}'", secrets::repeatable(key, text, schema).replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::SCHEMA;

    #[test]
    fn comments_that_cut_are_told_from_those_that_are_meant() {
        for (value, behind, is_cut) in [
            ("Ticket", " #42", true),
            ("Ticket", "  #42", true),
            ("Ticket", " # 42", true),
            ("match x == 1", "  # why", false),
            ("match x == 1", "   ## why", false),
            ("match x == 1", "  #", false),
            ("match x == \"a", "  # b\"", true),
            ("{{ .UUID", "  # }}", true),
            ("Ticket", "", false),
            ("Ticket", "  ", false),
        ] {
            let text = format!("a: {value}{behind}\nb: 1\n");
            let found = cut(&text, value, 3 + value.len());
            assert_eq!(found.is_some(), is_cut, "{text}");
            assert!(found.is_none_or(|found| text[found].starts_with('#')));
        }
    }

    #[test]
    fn a_comment_that_closes_a_bracket_is_found() {
        for (text, comment) in [
            ("a: {team: blue #2 , x: y}\nb:\n  - c\n", Some("#2 , x: y}")),
            ("a: [/opt/a #b, /opt/c]  \nb: 1", Some("#b, /opt/c]")),
            ("a: ['it #1', \"x #2\", y #3]\n", Some("#3]")),
            ("a: [it's #3]\n", Some("#3]")),
            ("a: [  # the first]\n  b]\n", Some("# the first]")),
            ("a: [b]  # [c]\n", None),
            ("a: {b: 'c #d'}\n", None),
            ("a: [b, # more\n  c]\n", None),
            ("a: [b#c]\n", None),
        ] {
            let found = comment_in_brackets(text, text.len() - 1);
            assert_eq!(found.map(|found| &text[found]), comment, "{text}");
        }
    }

    #[test]
    fn an_item_that_holds_a_comma_or_bracket_is_quoted_alone() {
        for text in [
            "a: [x in (\"a\", \"b\"), default ignore]\n",
            "a b: {c: d, e: [x in (\"a\", \"b\"), default ignore]}\n",
            "- [y, x in (\"a\", \"b\")]\n",
        ] {
            let said = advice("invalid trailing content", text, text.find("),").or(text.find(")]")).unwrap(), &SCHEMA);
            assert!(
                said.as_deref().unwrap_or_default().ends_with("single quotes: 'x in (\"a\", \"b\")'"),
                "{text}: {said:?}"
            );
        }
        let text = "a: [y, match lineage[0].x == z, default ignore]\n";
        assert_eq!(cut_item(text, text.find(".x").unwrap()), Some("match lineage[0].x == z"));
        for text in ["a: [\"x\" y, z]\n", "a: (b, c)\n", "a: {b: (c, \"d\")}\n"] {
            assert_eq!(cut_item(text, text.len() - 3), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_looked_at(text in "([a-z\"'{\\[*&!%@`|>,?:é# -]{0,12}\r?\n?){0,4}", offset in 0_usize..40, says in "unclosed|trailing|escape|x") {
            let offset = text.floor_char_boundary(offset.min(text.len()));
            advice(&says, &text, offset, &SCHEMA);
            cut(&text, "a", offset);
            comment_in_brackets(&text, offset);
            rest_of_line(&text, offset, &SCHEMA);
        }
    }
}

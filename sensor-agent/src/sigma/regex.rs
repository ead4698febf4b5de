//! Regular expressions: those of PCRE that the Sigma specification allows, as the rule language writes them.

use regex_syntax::ast::{self, AssertionKind, Ast, Visitor};

/// An expression of the rule language that means the same.
///
/// There `.` takes line feeds and `$` is the end of the text alone; in PCRE neither is so unless it is asked for.
///
/// # Errors
/// What is no expression, or means something else in PCRE.
pub(super) fn expression(text: &str, any_case: bool, lines: bool, dot_takes_all: bool) -> Result<String, String> {
    let ast = ast::parse::ParserBuilder::new().nest_limit(100).build().parse(text);
    let ast = ast.map_err(|error| format!("the regular expression `{text}` is not taken: {}", error.kind()))?;
    let ends = ast::visit(&ast, Ends::default()).map_err(|what| {
        format!("the regular expression `{text}` is not taken: {what} means something else in other engines")
    })?;
    let mut flags = String::new();
    for (flag, on) in [('i', any_case), ('m', lines)] {
        flags.extend(on.then_some(flag));
    }
    if !dot_takes_all {
        flags.push_str("-s");
    }
    let mut out = if flags.is_empty() { String::new() } else { format!("(?{flags})") };
    let mut written = 0;
    for end in ends.at.iter().filter(|_| !lines && !ends.by_lines) {
        out.push_str(&text[written..*end]);
        out.push_str(r"(?:\n?\z)");
        written = end + 1;
    }
    out.push_str(&text[written..]);
    Ok(out)
}

/// Where `$` stands, and whether something makes it the end of lines.
#[derive(Default)]
struct Ends {
    at: Vec<usize>,
    by_lines: bool,
}

impl Visitor for Ends {
    type Output = Self;
    type Err = &'static str;

    fn finish(self) -> Result<Self, Self::Err> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        let has_lines = |flags: &ast::Flags| flags.flag_state(ast::Flag::MultiLine) == Some(true);
        let is_extended = |flags: &ast::Flags| flags.flag_state(ast::Flag::IgnoreWhitespace) == Some(true);
        match ast {
            Ast::Assertion(assertion) if assertion.kind == AssertionKind::EndLine => {
                self.at.push(assertion.span.start.offset);
            }
            Ast::Flags(set) => {
                self.by_lines |= has_lines(&set.flags);
                if is_extended(&set.flags) {
                    return Err("the flag `x`");
                }
            }
            Ast::Group(group) => {
                self.by_lines |= group.flags().is_some_and(has_lines);
                if group.flags().is_some_and(is_extended) {
                    return Err("the flag `x`");
                }
            }
            Ast::Repetition(repetition) if matches!(*repetition.ast, Ast::Repetition(_)) => {
                return Err("a repetition of a repetition");
            }
            Ast::ClassBracketed(class) if matches!(class.kind, ast::ClassSet::BinaryOp(_)) => {
                return Err("a set within a set");
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        if matches!(item, ast::ClassSetItem::Bracketed(_)) { Err("a set within a set") } else { Ok(()) }
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ast::ClassSetBinaryOp) -> Result<(), Self::Err> {
        Err("a set within a set")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_pcre() {
        for (text, [i, m, s], expected) in [
            ("-D", [false; 3], "(?-s)-D"),
            (r"(^|\/)\.[^.\/]", [false; 3], r"(?-s)(^|\/)\.[^.\/]"),
            ("a$|b.$", [true, false, true], r"(?i)a(?:\n?\z)|b.(?:\n?\z)"),
            ("^a$", [false, true, false], "(?m-s)^a$"),
            ("(?m)^a$", [false; 3], "(?-s)(?m)^a$"),
            (r"\$[$]", [false, false, true], r"\$[$]"),
        ] {
            assert_eq!(expression(text, i, m, s), Ok(expected.to_owned()), "{text}");
        }
        for (text, part) in [
            ("(?=x)", "look-around"),
            (r"(a)\1", "backreferences"),
            ("a++", "repetition"),
            ("[a&&b]", "set"),
            ("[[a]]", "set"),
            ("(", "unclosed group"),
        ] {
            let said = expression(text, false, false, false).unwrap_err();
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}

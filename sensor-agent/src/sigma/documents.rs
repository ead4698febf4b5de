//! The documents of a file, and places in them.

use diagnostic::{Report, Span};
use settings::{Node, Schema, parse};

use super::Fault;

/// A rule is no configuration, of which keys are known.
static NO_KEYS: Schema = Schema::new(&[]);

/// One document of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Document<'a> {
    text: &'a str,
    /// Lines of the file before it.
    lines: usize,
}

/// The documents of a file. A line that begins with `---` or `...` parts them wherever it stands: YAML allows it nowhere
/// else (YAML 1.2.2, 9.1.2).
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut documents, mut start, mut lines) = (Vec::new(), 0, 0);
    let (mut at, mut line) = (0, 0);
    for whole in text.split_inclusive('\n') {
        let mark = ["---", "..."].into_iter().find(|mark| {
            whole.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        });
        if mark.is_some() {
            documents.push(Document { text: &text[start..at], lines });
            // Behind the mark a document may begin.
            (start, lines) = (at + 3, line);
        }
        at += whole.len();
        line += 1;
    }
    documents.push(Document { text: &text[start..], lines });
    documents.retain(|document| !document.is_empty());
    documents
}

impl Document<'_> {
    /// Comments and directives alone.
    fn is_empty(&self) -> bool {
        self.text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with(['#', '%']))
    }

    /// The tree; none if nothing is written.
    pub(super) fn read(&self) -> Result<Option<Node>, Fault> {
        let mut report = Report::default();
        let source = report.add_source("rule", self.text);
        let root = parse(self.text, source, &NO_KEYS, &mut report).map_err(|broken| {
            let at = Span { source, bytes: broken.offset..broken.offset };
            Fault::at(self.line(&at), broken.message)
        })?;
        if let Some(error) = report.diagnostics().iter().find(|found| found.severity == diagnostic::Severity::Error) {
            let message = format!("this is not valid YAML: {}", error.message);
            return Err(match &error.span {
                Some(span) => Fault::at(self.line(span), message),
                None => Fault::whole(message),
            });
        }
        Ok((!root.is_null()).then_some(root))
    }

    /// The line of the file that a place is on, from 1.
    pub(super) fn line(&self, span: &Span) -> usize {
        let before = self.text.as_bytes().get(..span.bytes.start).unwrap_or(self.text.as_bytes());
        self.lines + 1 + memchr::memchr_iter(b'\n', before).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_documents() {
        let lines = |text: &str| -> Vec<(String, usize)> {
            documents(text).iter().map(|document| (document.text.trim().to_owned(), document.lines)).collect()
        };
        let one = |text: &str, lines| (text.to_owned(), lines);
        assert_eq!(lines(""), []);
        assert_eq!(lines("# nothing\n---\n...\n"), []);
        assert_eq!(lines("a: 1"), [one("a: 1", 0)]);
        assert_eq!(
            lines("%YAML 1.2\n---\na: 1\n---\nb: |\n    --- no\n"),
            [one("a: 1", 1), one("b: |\n    --- no", 3)]
        );
        assert_eq!(lines("--- {a: 1}\n...\nb: 1\n"), [one("{a: 1}", 0), one("b: 1", 1)]);
        assert_eq!(lines("----\n"), [one("----", 0)]);
    }

    #[test]
    fn faults_have_their_line() {
        let documents = documents("a: 1\n---\nb: 2\nb: 3\n---\nc: [\n");
        let said = |document: &Document<'_>| document.read().map(drop).unwrap_err().to_string();
        assert!(documents[0].read().is_ok());
        assert!(said(&documents[1]).starts_with("line 4: this is not valid YAML: the key `b` is given twice"));
        assert!(said(&documents[2]).starts_with("line "));
    }
}

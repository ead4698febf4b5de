//! Alert templates: any text is parsed, checked and filled with sample alerts, or refused; `printf` takes any format.
#![no_main]

use diagnostic::{Report, Span, Spanned};
use gotemplate::{Functions, Limits, Value};
use libfuzzer_sys::fuzz_target;
use sensor_agent::alert::Template;

fuzz_target!(|text: &str| {
    let mut report = Report::default();
    let source = report.add_source("fuzz", text);
    let span = Span { source, bytes: 0..text.len() };
    let _ = Template::parse(&Spanned { value: text.to_owned(), span, verbatim: true }, &mut report);
    let value = Value::structure("Alert", [("Text", text.into()), ("List", Value::list("string", ["a".into()]))]);
    let parsed = gotemplate::Template::parse("{{printf .Text 1 -1.5 .Text .List nil}}", Functions::default()).unwrap();
    let _ = parsed.fill(&value, &Limits::default());
});

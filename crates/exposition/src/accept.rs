//! Which of the two forms a request likes better.

use super::Form;

/// Of equal weights OpenMetrics, which says more. Without a weight of its own a form has that of the widest range that
/// takes it in; a header without either form gets the text format, as no answer helps nobody.
pub(super) fn preferred(accept: &str) -> Form {
    let open_metrics = accept.split(',').filter_map(Range::read).filter(Range::is_open_metrics);
    let Some(open_metrics) = open_metrics.map(|range| range.weight).max().filter(|weight| *weight > 0) else {
        return Form::Text;
    };
    let text = accept.split(',').filter_map(Range::read).filter(Range::is_text).map(|range| range.weight).max();
    if text.is_some_and(|text| text > open_metrics) { Form::Text } else { Form::OpenMetrics }
}

/// A media range with what it is worth.
struct Range<'a> {
    media: &'a str,
    version: Option<&'a str>,
    /// Thousandths.
    weight: u16,
}

impl<'a> Range<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().filter(|media| !media.is_empty())?;
        let (mut version, mut weight) = (None, 1000);
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            match name.trim() {
                name if name.eq_ignore_ascii_case("version") => version = Some(value.trim().trim_matches('"')),
                name if name.eq_ignore_ascii_case("q") => weight = thousandths(value.trim()),
                _ => {}
            }
        }
        Some(Self { media, version, weight })
    }

    /// Version 0.0.1, which some name as well, is another syntax for what was a draft.
    fn is_open_metrics(&self) -> bool {
        self.media.eq_ignore_ascii_case("application/openmetrics-text")
            && self.version.is_none_or(|version| version.starts_with("1."))
    }

    fn is_text(&self) -> bool {
        self.media.eq_ignore_ascii_case("text/plain")
    }
}

/// A weight that cannot be read is none.
fn thousandths(weight: &str) -> u16 {
    weight.parse::<f32>().map_or(0, |weight| (weight.clamp(0.0, 1.0) * 1000.0) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_what_it_understands() {
        for (accept, form) in [
            ("", Form::Text),
            ("*/*", Form::Text),
            ("text/plain", Form::Text),
            ("application/json", Form::Text),
            ("application/openmetrics-text", Form::OpenMetrics),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", Form::OpenMetrics),
            ("Application/OpenMetrics-Text;Version=\"1.0.0\"", Form::OpenMetrics),
            ("application/openmetrics-text;version=0.0.1", Form::Text),
            ("application/openmetrics-text;q=0", Form::Text),
            ("application/openmetrics-text;q=x", Form::Text),
            ("application/openmetrics-text;q=0.5, text/plain;q=0.9", Form::Text),
            // Prometheus 2.50 and 3.
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                Form::OpenMetrics,
            ),
            // One that is set to the text format.
            ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Form::Text),
        ] {
            assert_eq!(preferred(accept), form, "{accept}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_header_is_answered(accept in ".{0,200}") {
            let _ = preferred(&accept);
        }
    }
}

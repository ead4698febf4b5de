//! The text format 0.0.4, made of OpenMetrics.

/// Samples stand as they are: both formats write them alike as long as there are no exemplars, which nothing here has.
pub(super) fn from_open_metrics(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // The help stands before the type, which decides its name.
    let mut help = None;
    for line in text.lines() {
        let Some(comment) = line.strip_prefix("# ") else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let mut words = comment.splitn(3, ' ');
        match (words.next(), words.next(), words.next()) {
            (Some("HELP"), Some(_), said) => help = said,
            (Some("TYPE"), Some(name), Some(kind)) => {
                let (suffix, kind) = match kind {
                    "counter" => ("_total", "counter"),
                    "info" => ("_info", "gauge"),
                    "unknown" => ("", "untyped"),
                    same => ("", same),
                };
                if let Some(help) = help.take() {
                    out.push_str(&format!("# HELP {name}{suffix} {help}\n"));
                }
                out.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
            }
            // UNIT and EOF.
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use prometheus_client::{
        metrics::{counter::Counter, gauge::Gauge, info::Info},
        registry::{Registry, Unit},
    };

    use crate::Form;

    #[test]
    fn types_bear_the_names_of_their_samples() {
        let mut registry = Registry::with_prefix("x");
        registry.register("build", "The version", Info::new([("version", "1")]));
        registry.register_with_unit("body", "Size", Unit::Bytes, Counter::<u64>::default());
        registry.register("open", "How many are", Gauge::<i64>::default());
        assert_eq!(
            Form::Text.write(&registry),
            "# HELP x_build_info The version.\n# TYPE x_build_info gauge\nx_build_info{version=\"1\"} 1\n\
             # HELP x_body_bytes_total Size.\n# TYPE x_body_bytes_total counter\nx_body_bytes_total 0\n\
             # HELP x_open How many are.\n# TYPE x_open gauge\nx_open 0\n"
        );
        assert!(Form::OpenMetrics.write(&registry).ends_with("# EOF\n"));
    }
}

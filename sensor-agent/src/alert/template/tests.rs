use std::sync::Arc;

use diagnostic::{Severity, Span};

use super::*;

fn spanned(text: &str, report: &mut Report) -> Spanned<String> {
    let source = report.add_source("test.yaml", text);
    Spanned { value: text.to_owned(), span: Span { source, bytes: 0..text.len() }, verbatim: true }
}

fn parse(text: &str) -> Template {
    let mut report = Report::default();
    let text = spanned(text, &mut report);
    let template = Template::parse(&text, &mut report);
    assert!(!report.has_errors(), "{:?}", report.diagnostics());
    template.unwrap()
}

/// The first finding: how bad, what, and the text that it points at.
fn finding(text: &str) -> (Severity, String, String) {
    let mut report = Report::default();
    let text = spanned(text, &mut report);
    let parsed = Template::parse(&text, &mut report);
    let finding = report.diagnostics().first().unwrap_or_else(|| panic!("nothing found in {:.80}", text.value));
    assert_eq!(parsed.is_none(), report.has_errors());
    let part = finding.span.clone().unwrap().bytes;
    let help = finding.help.clone().unwrap_or_default();
    (finding.severity, format!("{}; {help}", finding.message), text.value[part].to_owned())
}

fn render(text: &str) -> String {
    parse(text).render(&Alert::sample()).unwrap().unwrap()
}

#[test]
fn the_documented_line() {
    assert_eq!(render("Alert triggered: {{ .StrategyName}}"), "Alert triggered: Alert Tester");
}

#[test]
fn go_templates() {
    for (template, line) in [
        ("{{.Priority}} {{.Confidence}} {{.PolicyType}}", "High High program"),
        ("{{.Timestamp}}", "1700004001"),
        ("{{.ProcessInfo.Pid}}/{{.ProcessInfo.Tgid}}", "4001/4001"),
        ("{{.ProcessInfo.Program.Path}} {{.ProcessInfo.Args}}", "/usr/bin/wget [wget http://example.test/]"),
        ("{{range .Lineage}}{{.Program.Path}} {{end}}", "/usr/bin/bash /usr/lib/systemd/systemd "),
        ("{{range $i, $p := .Lineage}}{{if $i}}<{{end}}{{$p.Pid}}{{end}}", "4000<1"),
        ("{{(index .Lineage 0).Program.Path}}", "/usr/bin/bash"),
        ("{{index .ProcessInfo.Args 1}}", "http://example.test/"),
        ("{{.AlertLabels.team}} {{index .AlertLabels \"team\"}} {{.AlertLabels}}", "web web map[team:web]"),
        ("{{len .Lineage}} {{len .ProcessInfo.Args}}", "2 2"),
        (r#"{{if eq .Priority "High" "Medium"}}urgent{{else}}later{{end}}"#, "urgent"),
        (r#"{{if and (ne .Priority "Low") (gt .ProcessInfo.Pid 100)}}yes{{end}}"#, "yes"),
        ("{{with .ProcessInfo}}{{.Cwd}} {{$.UUID | len}}{{end}}", "/srv 36"),
        (
            r#"{{printf "%-8s|%05d|%q|%v" .Priority .ProcessInfo.Pid .PolicyType .Categories}}"#,
            "High    |04001|\"program\"|[MITRE.Execution.Command-Line Interface]",
        ),
        (r#"{{.StrategyName | printf "%s!" | upper}}"#, "ALERT TESTER!"),
        ("a  {{- .Priority -}}  b", "aHighb"),
        ("{{/* a comment */}}x{{- /* another */ -}} y", "xy"),
        ("{{json .ProcessInfo.Args}}", r#"["wget","http://example.test/"]"#),
        (
            r#"{{join .ProcessInfo.Args " "}}|{{.ProcessInfo.Args | join ","}}"#,
            "wget http://example.test/|wget,http://example.test/",
        ),
        ("{{.ProcessInfo.Program.Path | base}} {{lower .Priority}}", "wget high"),
        (r#"{{default "none" .Location.KubernetesPod}} {{default "none" .ProcessInfo.Tty}}"#, "web-0 none"),
        (r#"{{if contains "wget" .ProcessInfo.Args}}has{{end}}"#, "has"),
        ("{{define \"p\"}}<{{.Pid}}>{{end}}{{template \"p\" .ProcessInfo}}", "<4001>"),
        ("{{range .Lineage}}{{if eq .Pid 1}}{{break}}{{end}}{{.Pid}}{{end}}", "4000"),
        ("{{$n := 0}}{{range .Lineage}}{{$n = .Pid}}{{end}}{{$n}}", "1"),
        ("line one\nline two\n\n", "line one\nline two"),
    ] {
        assert_eq!(render(template), line, "{template}");
    }
}

#[test]
fn nothing_but_white_space_filters() {
    let template = parse("\n{{ if eq .Priority \"Low\" }}{{ .UUID }}{{ end }} \n");
    assert_eq!(template.render(&Alert::sample()).unwrap(), None);
}

#[test]
fn errors_point_into_the_template() {
    let (severity, message, part) = finding("Alert: {{ .StrategyNam }}");
    assert_eq!((severity, part.as_str()), (Severity::Error, "StrategyNam"));
    assert!(message.contains("is .StrategyName meant?"), "{message}");

    // Also where no sample comes by.
    let (severity, _, part) = finding("{{ if eq .StrategyName \"x\" }}{{ .ProcessInfo.Program.Pth }}{{ end }}");
    assert_eq!((severity, part.as_str()), (Severity::Error, "Pth"));

    let (_, message, part) = finding("first\n{{ uper .Priority }}");
    assert_eq!(part, "uper", "{message}");
    assert!(message.contains("is the function upper meant?"), "{message}");

    let (_, message, part) = finding("{{ .ProcessInfo.StrategyName }}");
    assert_eq!(part, "StrategyName", "{message}");
    assert!(message.contains("there is no field StrategyName here"), "{message}");

    for broken in ["{{ .UUID", "{{ if .UUID }}", "{{ end }}", "{{ \"", "{{range}}{{end}}", "{{nosuch}}"] {
        let (severity, message, _) = finding(broken);
        assert_eq!(severity, Severity::Error, "{broken}: {message}");
    }
}

#[test]
fn keys_of_maps_are_free() {
    parse("{{ .AlertLabels.whatever }}{{ .Metadata.region }}");
    for template in [
        "{{ with .AlertLabels }}{{ .team }}{{ end }}",
        "{{ with .AlertLabels }}{{ if true }}{{ .owner }}{{ end }}{{ .owner }}{{ end }}x",
        "{{ $labels := .AlertLabels }}{{ $labels.team }}",
        "{{ with .AlertLabels }}{{ .team }}{{ else }}{{ .StrategyName }}{{ end }}{{ .Priority }}",
    ] {
        let mut report = Report::default();
        let text = spanned(template, &mut report);
        assert!(Template::parse(&text, &mut report).is_some());
        assert_eq!(report.diagnostics().iter().map(|found| &found.message).collect::<Vec<_>>(), [""; 0], "{template}");
    }
    // Elsewhere a slip is found.
    for template in [
        "{{ with .AlertLabels }}{{ .team }}{{ end }}{{ if false }}{{ .StrategyNam }}{{ end }}",
        "{{ with .AlertLabels }}{{ .team }}{{ else }}{{ .StrategyNam }}{{ end }}",
        "{{ with .AlertLabels }}{{ if false }}{{ $.StrategyNam }}{{ end }}{{ end }}x",
    ] {
        let (severity, _, part) = finding(template);
        assert_eq!((severity, part.as_str()), (Severity::Error, "StrategyNam"), "{template}");
    }
}

#[test]
fn what_only_some_alerts_have_is_a_warning() {
    let (severity, message, part) = finding("{{ (index .Lineage 0).Pid }}");
    assert_eq!(severity, Severity::Warning);
    assert!(message.contains("without known ancestors"), "{message}");
    assert!(part.contains("index .Lineage 0"), "{part}");
}

#[test]
fn templates_without_end_end() {
    for template in [
        r#"{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}"#,
        r#"{{define "r"}}{{template "r" .}}{{template "r" .}}{{end}}{{template "r" .}}"#,
        r#"{{define "r"}}{{if lt (len .) 60}}{{template "r" (print . "x")}}{{template "r" (print . "x")}}{{end}}{{end}}{{template "r" ""}}"#,
        "{{range 1000000000}}{{end}}",
        "{{range 10000}}{{range 10000}}{{range 10000}}x{{end}}{{end}}{{end}}",
        r#"{{$s := "x"}}{{range 64}}{{$s = print $s $s}}{{end}}{{len $s}}"#,
        r#"{{$s := "xx"}}{{range 64}}{{$s = replace "x" "xxxxxxxx" $s}}{{end}}"#,
        r#"{{range 10000}}{{json $}}{{end}}"#,
    ] {
        let (severity, ..) = finding(template);
        assert_eq!(severity, Severity::Error, "{template}");
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("(", ")"), ("{{if .UUID}}", "{{end}}"), ("{{with .UUID}}", "{{end}}")] {
        for depth in [500, 5_000] {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            let text = if open.starts_with('(') { format!("{{{{{open}1{close}}}}}") } else { format!("{open}{close}") };
            assert_eq!(finding(&text).0, Severity::Error);
        }
    }
    parse(&("{{if .UUID}}".to_owned() + &"{{else if .UUID}}".repeat(3_000) + "{{end}}x"));
    parse(&format!("{{{{1{}}}}}", "|print".repeat(9_000)));
    assert_eq!(finding(&"x".repeat(gotemplate::MAX_TEXT + 1)).0, Severity::Error);
}

/// What the sample lacks another alert may have: the template is taken, and goes its way where it can.
#[test]
fn what_the_sample_lacks_is_a_warning() {
    for (template, part) in [
        ("{{index .ProcessInfo.Args 7}}", "index .ProcessInfo.Args 7"),
        ("{{slice .StrategyName 0 20}}", "slice .StrategyName 0 20"),
        ("{{slice .ProcessInfo.Args 5}}", "slice .ProcessInfo.Args 5"),
        ("{{len .AlertLabels.owner}}", "len .AlertLabels.owner"),
        ("{{(index .Lineage 9).Pid}}", "index .Lineage 9"),
        ("{{and .Priority (index .Categories 99)}}", "index .Categories 99"),
    ] {
        let (severity, message, found) = finding(template);
        assert_eq!((severity, found.as_str()), (Severity::Warning, part), "{template}: {message}");
        assert!(message.contains("such an alert goes out in the output's format"), "{message}");
        let error = parse(template).render(&Alert::sample()).unwrap_err().to_string();
        assert!(error.starts_with("the template failed: "), "{error}");
    }
    // What no alert can have is an error.
    for template in
        ["{{index .ProcessInfo.Args \"1\"}}", "{{eq .Timestamp \"1\"}}", "{{len .Timestamp}}", "{{template \"x\"}}"]
    {
        assert_eq!(finding(template).0, Severity::Error, "{template}");
    }
}

/// Each mistake with the text that it points at and what it is told to do.
#[test]
fn mistakes_get_advice() {
    for (template, part, advice) in [
        ("{{if .Priority == \"High\"}}x{{end}}", "=", "compare with eq"),
        ("{{if .Priority && .Confidence}}x{{end}}", "&", "combine with and"),
        ("{{if .Timestamp > 5}}x{{end}}", ">", "compare with gt"),
        ("{{.Lineage[0].Pid}}", "[", "take an item with index"),
        ("{{.AlertLabels.tier-1}}", "-", "index .AlertLabels"),
        ("{{StrategyName}}", "StrategyName", "is .StrategyName meant?"),
        ("{{.ProcessInfo.Uid + 1}}", "+", "does not calculate"),
        ("{{{.Priority}}}", "{", "two braces"),
        ("{{ /* no */ }}", "/", "a comment begins right behind the braces"),
        ("{{\"C:\\users\"}}", "\"C:\\users\"", "write a backslash twice"),
        ("{{if .Priority}}x", "", "needs an {{end}}"),
        ("{{$Priority}}", "$Priority", "write fields with a dot"),
        ("{{.priority}}", "priority", "is .Priority meant?"),
        ("{{.strategy_name}}", "strategy_name", "is .StrategyName meant?"),
        ("{{range .Categories}}{{.StrategyName}}{{end}}", "StrategyName", "$.Name to the alert"),
        ("{{if false}}{{.Priority.Name}}{{end}}x", "Name", "$.Name to the alert"),
    ] {
        let (severity, message, found) = finding(template);
        assert_eq!((severity, found.as_str()), (Severity::Error, part), "{template}: {message}");
        assert!(message.contains(advice), "{template}: {message}");
    }
}

/// Templates that once ended the process or never came to an end.
#[test]
fn escapes_are_those_of_go() {
    assert_eq!(render(r#"{{"\u2192 see \x41ab \U0001F6A8 \101"}}"#), "→ see Aab 🚨 A");
    assert_eq!(render("{{\"\\x1b[31m\"}}{{.Priority}}{{`C:\\users\\n`}}"), "\x1b[31mHighC:\\users\\n");
    assert_eq!(render(r#"{{"C:\\"}}|{{"b\\\""}}"#), r#"C:\|b\""#);
    assert_eq!(render("{{slice \"é\" 0 1}}|"), "\u{fffd}|");
    for broken in [r#"{{"\u12"}}"#, r#"{{"\z"}}"#, r#"{{"\x4"}}"#, r#"{{"\"#, r#"{{'\u"#] {
        assert_eq!(finding(broken).0, Severity::Error, "{broken}");
    }
}

#[test]
fn names_do_not_command_the_terminal() {
    let mut alert = Alert::sample();
    let mut process = (*alert.event.process).clone();
    let mut image = (*process.image).clone();
    image.path = b"/tmp/\x1b]0;x\x07\n{{.UUID}}\xff".to_vec();
    process.image = Arc::new(image);
    alert.event.process = Arc::new(process);
    let line = parse("{{.ProcessInfo.Program.Path}} {{json .ProcessInfo.Program}}").render(&alert).unwrap().unwrap();
    assert!(line.starts_with(r"/tmp/\x1b]0;x\x07\x0a{{.UUID}}\xff "), "{line}");
    assert!(!line.contains(char::is_control));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in r#"([{}.]|\{\{|\}\}| |\.UUID|\.Lineage|range|if|end|with|define|template|"r"|\(|\)|\||é|index|1|\$x|:=|=|-){0,24}"#) {
        let mut report = Report::default();
        let text = spanned(&text, &mut report);
        let parsed = Template::parse(&text, &mut report);
        assert_eq!(parsed.is_none(), report.has_errors());
        for finding in report.diagnostics() {
            let part = finding.span.clone().unwrap().bytes;
            assert!(text.value.get(part).is_some());
        }
    }
}

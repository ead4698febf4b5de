//! Nothing that a template says ends or holds up the one who fills it.

use gotemplate::{Cause, Functions, Limits, MAX_TEXT, Template, Value};

fn value() -> Value {
    let item = |name: &str| {
        Value::structure("Item", [("Name", name.into()), ("Items", Value::list("string", ["a".into(), "é".into()]))])
    };
    Value::structure(
        "Root",
        [
            ("Name", "a name".into()),
            ("Number", Value::Uint32(4_000_000_000)),
            ("List", Value::list("main.Item", [item("x"), item("y")])),
            ("Map", Value::map([("k", "v")])),
        ],
    )
}

fn fill(text: &str) -> Result<Vec<u8>, gotemplate::Error> {
    Template::parse(text, Functions::default())?.fill(&value(), &Limits::default())
}

/// On a stack as small as threads of the C library have it.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn without_end() {
    for template in [
        r#"{{define "r"}}{{template "r" .}}{{end}}{{template "r" .}}"#,
        r#"{{define "r"}}{{template "r" .}}{{template "r" .}}{{end}}{{template "r" .}}"#,
        r#"{{define "r"}}{{if lt (len .) 60}}{{template "r" (print . "x")}}{{template "r" (print . "x")}}{{end}}{{end}}{{template "r" ""}}"#,
        "{{range 9223372036854775807}}{{end}}",
        "{{range .Number}}{{end}}",
        "{{range $i := 1000000}}{{range 1000000}}{{continue}}{{end}}{{end}}",
        r#"{{$s := "x"}}{{range 64}}{{$s = print $s $s}}{{end}}{{len $s}}"#,
        r#"{{$s := "x"}}{{range 64}}{{$s = html $s $s "<"}}{{end}}{{len $s}}"#,
        r#"{{$s := "x"}}{{range 64}}{{$s = printf "%q%x" $s $s}}{{end}}{{len $s}}"#,
        "{{range 100000}}{{printf \"%1000000d\" 1 | len}}{{end}}",
        "{{range 100000}}{{printf \"%.1000000f\" 1.5 | len}}{{end}}",
        "{{range 100000}}{{printf \"%.1000000x %1000000U\" 1 1 | len}}{{end}}",
        r#"{{$s := printf "%1000000s" ""}}{{range 100000}}{{eq $s $s}}{{end}}"#,
        r#"{{$s := printf "%1000000s" ""}}{{range 100000}}{{$t := slice $s 1}}{{end}}"#,
        "{{range 1000000}}{{$}}{{end}}",
        "{{range 1000000}}{{$x := 1}}{{$y := $x}}{{end}}",
    ] {
        let error = fill(template).expect_err(template);
        assert_eq!(error.cause, Cause::Limit, "{template}: {error}");
        assert!(template.get(error.place.clone()).is_some());
    }
}

#[test]
fn nesting() {
    on_a_small_stack(|| {
        for (open, close) in [
            ("{{if .Name}}", "{{end}}"),
            ("{{with $.Name}}", "{{end}}"),
            ("{{range $.Map}}", "{{end}}"),
            ("{{if 0}}{{else}}", "{{end}}"),
            ("{{block \"b\" .}}", "{{end}}"),
            ("{{print (", ")}}"),
            ("(", ")"),
            ("(print ", ")"),
        ] {
            for depth in [10, 60, 500, 3_000] {
                let braces = open.starts_with('(');
                let text = format!(
                    "{}{}1{}{}",
                    if braces { "{{" } else { "" },
                    open.repeat(depth),
                    close.repeat(depth),
                    if braces { "}}" } else { "" }
                );
                let filled = fill(&text);
                assert!(
                    filled.is_ok() || depth > 10 || open.starts_with("{{print") || open.starts_with("{{block"),
                    "{open} {depth}: {filled:?}"
                );
            }
        }
        // Deep in a template, and templates deep in each other.
        let deep = "{{with .}}".repeat(50) + "{{template \"t\" .}}" + &"{{end}}".repeat(50);
        fill(&format!("{{{{define \"t\"}}}}{deep}{{{{end}}}}{deep}")).unwrap_err();
        let parentheses = "(".repeat(55) + "index .List 0" + &")".repeat(55);
        fill(&format!("{{{{{parentheses}.Name}}}}")).unwrap();
        // Long, but not deep.
        fill(&format!("{{{{1{}}}}}", "|print".repeat(9_000))).unwrap();
        fill(&("{{if 0}}".to_owned() + &"{{else if 0}}".repeat(4_000) + "{{end}}")).unwrap();
        fill(&("{{.Map".to_owned() + &".x".repeat(20_000) + "}}")).unwrap();
        let chain = "{{define \"0\"}}{{end}}".to_owned()
            + &(1..1_500)
                .map(|n| format!("{{{{define \"{n}\"}}}}{{{{template \"{}\" .}}}}{{{{end}}}}", n - 1))
                .collect::<String>();
        let parsed = Template::parse(&chain, Functions::default()).unwrap();
        assert_eq!(parsed.unknown_fields(&value()), []);
    });
}

#[test]
fn many_of_all() {
    let error = fill(&"x".repeat(MAX_TEXT + 1)).unwrap_err();
    assert_eq!(error.cause, Cause::Limit);
    fill(&"{{1}}".repeat(13_000)).unwrap();
    fill(&"{{$x := 1}}".repeat(5_000)).unwrap_err();
    fill(&"{{if true}}{{$x := 1}}{{end}}".repeat(2_000)).unwrap();
    fill(&format!("{{{{print {}}}}}", "1 ".repeat(30_000))).unwrap();
    fill(&format!("{{{{printf \"{}\" 1}}}}", "%[1]d".repeat(10_000))).unwrap();
    fill(&format!("{{{{printf \"{}\"}}}}", "%[".repeat(20_000))).unwrap();
}

proptest::proptest! {
    #[test]
    fn any_text(text in r#"([{}.]|\{\{|\}\}| |\n|\.Name|\.List|\.Map\.k|range|if|else|end|with|define|template|block|break|"r"|"\\u12"|`|'|\(|\)|\||é|index|slice|printf|print|html|js|eq|1|-1|0x|1e9|\$x|:=|=|,|- | -|/\*|\*/|%){0,30}"#) {
        match Template::parse(&text, Functions::default()) {
            Ok(template) => {
                for unknown in template.unknown_fields(&value()) {
                    proptest::prop_assert_eq!(text.get(unknown.range()), Some(unknown.name.as_str()));
                }
                if let Err(error) = template.fill(&value(), &Limits::default()) {
                    proptest::prop_assert!(text.get(error.place).is_some());
                }
            }
            Err(error) => proptest::prop_assert!(text.get(error.place).is_some()),
        }
    }

    #[test]
    fn any_format(format in r#"[%+\-# 0-9.*\[\]vdsqxXobOcUteEfFgGTé]{0,16}"#, number: i64, text: String, width in -2_000_000_i64..2_000_000) {
        let template = Template::parse("{{printf .Format .Number .Text .Width 1.5 .List nil true}}", Functions::default()).unwrap();
        let value = Value::structure("Root", [
            ("Format", format.into()),
            ("Number", Value::Int64(number)),
            ("Text", text.into()),
            ("Width", Value::Int(width)),
            ("List", Value::list("string", ["a".into()])),
        ]);
        let _ = template.fill(&value, &Limits::default());
    }
}

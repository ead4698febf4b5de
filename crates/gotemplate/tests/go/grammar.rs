//! Templates that no one would write, the same ones each time.

/// Marsaglia's xorshift: what comes is the same for a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const VALUES: &[&str] = &[
    ".",
    "$",
    ".StrategyName",
    ".Description",
    ".Priority",
    ".AlertLabels",
    ".AlertLabels.team",
    ".AlertLabels.nosuch",
    ".Categories",
    ".Timestamp",
    ".ProcessInfo",
    ".ProcessInfo.Program.Path",
    ".ProcessInfo.Args",
    ".ProcessInfo.Uid",
    ".ProcessInfo.ArgsTruncated",
    ".Lineage",
    ".Location.ContainerLabels",
    "$.Priority",
    "$.ProcessInfo.Gid",
    ".Program.Path",
    ".team",
    ".Nope",
    "$x",
    "$y",
    "$i",
    "(index .Lineage 0).Program",
    ".AlertLabels.nosuch.deeper",
    "$.ProcessInfo.Program",
];

const LITERALS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "42",
    "0x1F",
    "017",
    "0b101",
    "1_000",
    "1.5",
    "-0.25",
    "1e3",
    "1e21",
    "100000.0",
    "1234567.0",
    "'a'",
    "'é'",
    r"'\n'",
    r#""""#,
    r#""a""#,
    r#""High""#,
    r#""héé → x""#,
    r#""tier-1""#,
    r#""a\"b\\c\td""#,
    r#""\x41\u00e9\101""#,
    "`raw \\n`",
    "true",
    "false",
    "nil",
    r#""%d|%s""#,
    r#""%v %q""#,
    "\"<a href='x'>&=\"",
    r#""\x00\x07\x7f""#,
];

const FUNCTIONS: &[&str] = &[
    "and", "or", "not", "len", "index", "slice", "print", "printf", "println", "html", "js", "urlquery", "eq", "ne",
    "lt", "le", "gt", "ge", "call",
];

/// A whole template: text, actions, blocks.
pub(crate) fn template(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        text.push_str(&node(random, 3));
    }
    if random.below(6) == 0 {
        text.push_str(&format!("{{{{define \"t\"}}}}{}{{{{end}}}}", node(random, 2)));
    }
    text
}

fn node(random: &mut Random, depth: usize) -> String {
    let open = random.one(&["{{", "{{", "{{", "{{- ", "{{ "]);
    let close = random.one(&["}}", "}}", "}}", " -}}", " }}"]);
    let choice = random.below(if depth == 0 { 5 } else { 12 });
    let pipe = pipe(random, 2);
    let body = |random: &mut Random| {
        (0..random.below(3)).map(|_| node(random, depth.saturating_sub(1))).collect::<Vec<_>>().concat()
    };
    match choice {
        0 => random.one(&["text ", "\n a\t", "é}}", " ", "a - b"]).to_owned(),
        1 => format!("{open}{} := {pipe}{close}", random.one(&["$x", "$y"])),
        2 => format!("{open}$x = {pipe}{close}"),
        3 | 4 => format!("{open}{pipe}{close}"),
        5 => format!("{open}if {pipe}{close}{}{{{{end}}}}", body(random)),
        6 => format!(
            "{open}if {pipe}{close}{}{{{{else if {}}}}}{}{{{{else}}}}{}{{{{end}}}}",
            body(random),
            self::pipe(random, 1),
            body(random),
            body(random)
        ),
        7 => format!("{open}with {pipe}{close}{}{{{{else}}}}{}{{{{end}}}}", body(random), body(random)),
        8 => format!("{open}range {pipe}{close}{}{{{{else}}}}{}{{{{end}}}}", body(random), body(random)),
        9 => format!(
            "{open}range $i, $x := {pipe}{close}{}{{{{if eq $i 1}}}}{{{{{}}}}}{{{{end}}}}{}{{{{end}}}}",
            body(random),
            random.one(&["break", "continue"]),
            body(random)
        ),
        10 => format!("{open}template \"t\" {pipe}{close}"),
        _ => format!("{open}with $x := {pipe}{close}{}{{{{end}}}}", body(random)),
    }
}

fn pipe(random: &mut Random, depth: usize) -> String {
    let mut pipe = command(random, depth);
    for _ in 0..random.below(6).saturating_sub(4) {
        pipe.push_str(&format!(" | {}", command(random, 0)));
    }
    pipe
}

fn command(random: &mut Random, depth: usize) -> String {
    if random.below(3) == 0 {
        return word(random, depth);
    }
    let function = random.one(FUNCTIONS);
    let mut command = function.to_owned();
    if function == "printf" && random.below(5) > 0 {
        command.push_str(&format!(" \"{}\"", directive(random)));
    }
    for _ in 0..random.below(4) {
        command.push_str(&format!(" {}", word(random, depth)));
    }
    command
}

fn word(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 5 } else { 7 }) {
        0..3 => random.one(VALUES).to_owned(),
        3 | 4 => random.one(LITERALS).to_owned(),
        _ => format!("({})", pipe(random, depth - 1)),
    }
}

/// `printf` with flags, widths, indexes and verbs, and values that fit them or do not.
pub(crate) fn format(random: &mut Random) -> String {
    let mut format = String::new();
    for _ in 0..=random.below(3) {
        format.push_str(&directive(random));
    }
    let values: Vec<String> = (0..random.below(4)).map(|_| word(random, 0)).collect();
    format!("{{{{printf \"{format}\" {}}}}}|", values.join(" "))
}

fn directive(random: &mut Random) -> String {
    let mut directive = "%".to_owned();
    for _ in 0..random.below(5).saturating_sub(2) {
        directive.push_str(random.one(&["+", "-", " ", "0", "#"]));
    }
    if random.below(8) == 0 {
        directive.push_str(random.one(&["[1]", "[2]", "[3]", "[0]", "[x]", "[", "[]", "[9]"]));
    }
    if random.below(3) == 0 {
        directive.push_str(random.one(&["1", "5", "12", "*", "30"]));
    }
    if random.below(4) == 0 {
        directive.push_str(random.one(&[".", ".0", ".1", ".3", ".10", ".*"]));
    }
    if random.below(12) == 0 {
        directive.push_str(random.one(&["[1]", "[2]"]));
    }
    directive.push_str(random.one(&[
        "v", "v", "d", "d", "s", "s", "q", "x", "X", "o", "O", "b", "c", "U", "t", "e", "E", "f", "F", "g", "G", "T",
        "z", "é", "%", "",
    ]));
    directive.push_str(random.one(&["", " ", "|", "é"]));
    directive
}

/// Tokens one after another, whether they make sense or not.
pub(crate) fn tokens(random: &mut Random) -> String {
    const TOKENS: &[&str] = &[
        "{{",
        "}}",
        "{{",
        "}}",
        "{{",
        "}}",
        "{{- ",
        " -}}",
        "{{-",
        "-}}",
        "{{/*",
        "*/}}",
        "{{- /*",
        "*/ -}}",
        "(",
        ")",
        "|",
        ":=",
        "=",
        ",",
        " ",
        " ",
        " ",
        "\n",
        ".",
        ".A",
        ".Priority",
        ".AlertLabels",
        ".Lineage",
        "$",
        "$x",
        "$x.Priority",
        "if",
        "else",
        "end",
        "range",
        "with",
        "define",
        "template",
        "block",
        "break",
        "continue",
        "nil",
        "true",
        "print",
        "len",
        "index",
        "1",
        "0x",
        "1.",
        "-",
        "+5",
        "08",
        "1__0",
        "0_7",
        "1e",
        "'a'",
        "'ab'",
        "''",
        "'",
        "\"t\"",
        "\"",
        "`r`",
        "`",
        "\\",
        "é",
        "\u{a0}",
        "&",
        "[",
        "]",
        "0b1",
        "0o8",
        "1_0.5_0",
        "1e400",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "0x1p4",
        "0x1.8p-3",
        "+1.5",
        "-0x1e",
        ".5",
        "\\x4",
        "\"\\u12\"",
        "\"\\'\"",
        "'\\''",
    ];
    let shapes = [
        "{{",
        "{{if ",
        "{{range $i, $x := ",
        "{{with ",
        "a {{- ",
        "{{template \"t\" ",
        "{{define \"t\"}}",
        "{{block \"b\" ",
    ];
    let mut text = if random.below(3) > 0 { random.one(&shapes).to_owned() } else { String::new() };
    for _ in 0..random.below(7) {
        text.push_str(random.one(TOKENS));
    }
    text.push_str(random.one(&["}}", "}}", "}}{{end}}", "}}{{end}}", "}}x{{else}}y{{end}}", ""]));
    text
}

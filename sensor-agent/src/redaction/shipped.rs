//! What is secret without anybody's saying so.
//!
//! Each has a group for what is taken out. The program itself, the names of options and of variables, hosts and paths stay:
//! what was done is still told.

use super::pattern::Pattern;

/// Words that name secrets, in names of options, variables, headers and keys.
const NAME: &str = "(?:password|passwd|passphrase|passcode|secret|token|api[-_]?key|access[-_]?key|auth[-_]?key|encryption[-_]?key|store[-_]?pass|key[-_]?pass)";
/// What may follow such a word in a name that is still one of a secret: `SECRET_ACCESS_KEY`, `TOKEN_VALUE`.
const REST: &str = "(?:[-_]?(?:access[-_]?)?(?:key|value|hash|base64|b64|string|text|plain|json|new|old))?";
/// A value: in quotes, or up to the next blank.
const VALUE: &str = r#"("[^"]*"|'[^']*'|[^\s"']+)"#;
/// The same that does not look like an option.
const NEXT: &str = r#"("[^"]*"|'[^']*'|[^\s"'-][^\s"']*)"#;
/// Where a word of a command line begins.
const BEGIN: &str = r#"(?:^|[\s"'`;&|(,{=])"#;
/// From the name of a program to one of its options.
const OPTIONS: &str = r"\s(?:[^|;&]*?\s)??";

/// The shipped patterns.
pub(super) fn patterns() -> Vec<Pattern> {
    let texts = values().into_iter().map(|text| (text, true)).chain(parts().into_iter().map(|text| (text, false)));
    texts.map(|(text, is_value)| Pattern::new(&text, is_value).expect("a test compiles each")).collect()
}

/// Values of options and of variables, which may be the rest of their argument.
fn values() -> Vec<String> {
    let program = |names: &str, option: &str| format!("(?:^|[\\s/\"'])(?:{names}){OPTIONS}{option}");
    vec![
        // --password=…, -Ddb.password=…, AWS_SECRET_ACCESS_KEY=…
        format!(r"(?i){BEGIN}[a-z0-9_.-]*{NAME}{REST}={VALUE}"),
        // --password …, -token …
        format!(r"(?i){BEGIN}--?[a-z0-9_.-]*{NAME}{REST}\s+{NEXT}"),
        // PGPASSWORD and the like are above; these do not name what they hold.
        format!(r"{BEGIN}(?:SSHPASS|MYSQL_PWD|REDISCLI_AUTH|LDAPTLS_KEYPW)={VALUE}"),
        // openssl -passin pass:…
        r"(?:^|\s)-pass(?:in|out)?\s+pass:(\S+)".to_owned(),
        program("mysql[a-z]*|mariadb[a-z-]*", "-p([^\\s-][^\\s]*)"),
        program("sshpass", "-p\\s*(\\S+)"),
        program("7z[arz]?", "-p(\\S+)"),
        program("zip|unzip|rar|unrar", "(?:-P\\s*|-p|-hp)([^\\s-]\\S*)"),
        program("(?:docker|podman|nerdctl|buildah|skopeo|helm|oras)", "login\\s(?:[^|;&]*?\\s)??-p\\s*([^\\s-]\\S*)"),
        program("ldap[a-z]+", "-w\\s*([^\\s-]\\S*)"),
        program("redis-cli", "-a\\s+(\\S+)"),
        program("mongo[a-z]*", "-p\\s*([^\\s-]\\S*)"),
        program("curl", "(?:-U|--proxy-user)[\\s=]*[^\\s:\"'-][^\\s:\"']*:([^\\s\"']+)"),
        program("curl", "(?:-u|--user)[\\s=]*[^\\s:\"'-][^\\s:\"']*:([^\\s\"']+)"),
        program("smbclient|rpcclient|net", "(?:-U|--user)[\\s=]*[^\\s%\"'-][^\\s%\"']*%([^\\s\"']+)"),
        program("(?:user|group)(?:add|mod)", "-p\\s*([^\\s-]\\S*)"),
        // aws configure set aws_secret_access_key …
        r"(?i)(?:^|\s)aws_(?:secret_access_key|session_token)\s+(\S+)".to_owned(),
    ]
}

/// Parts of arguments and texts.
fn parts() -> Vec<String> {
    vec![
        // The password of a URL, whose host and user stay.
        r#"[A-Za-z][A-Za-z0-9+.-]*://[^\s/?#:@"']*:([^\s/?#"']+)@"#.to_owned(),
        // …?access_token=…&
        format!(r#"(?i)[?&][a-z0-9_.-]*(?:{NAME}|sig|signature){REST}=([^&\s"'#]+)"#),
        // "password": "…"
        format!(r#"(?i)["'][a-z0-9_.-]*{NAME}{REST}\\?["']\s*:\s*\\?["']([^"'\\]+)"#),
        // Server=…;Pwd=…;
        r#"(?i);\s*(?:pwd|password)\s*=\s*([^;"'\s]+)"#.to_owned(),
        r#"(?i)authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|token|digest|negotiate|apikey)\s+)?([^\s"']+)"#.to_owned(),
        format!(r#"(?i)(?:{BEGIN}|-H)(?:x-[a-z-]*(?:key|token|secret|auth)|private-token|job-token|deploy-token|api-?key)\s*:\s*([^\s"']+)"#),
        r#"(?i)(?:^|[\s"'])(?:set-)?cookie\s*:\s*([^\s"';]+(?:;\s*[^\s"'=;]+=[^\s"';]+)*)"#.to_owned(),
        // A private key as it stands in files, also without its end.
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----([A-Za-z0-9+/=\s\\:,.-]+?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)".to_owned(),
        // Tokens that say what they are.
        r"(gh[oprsu]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{22,}|glpat-[A-Za-z0-9_-]{20,}|xox[abeoprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{36}|sk-[A-Za-z0-9_-]{20,}|hv[bs]\.[A-Za-z0-9_-]{20,}|AIza[A-Za-z0-9_-]{35}|SLS-[A-Za-z0-9_-]{8,})".to_owned(),
        r"(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,})".to_owned(),
    ]
}

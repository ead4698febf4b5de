//! Central's words, fit for a log: what a server says helps the person who reads it, and may hold anything, the credentials
//! that it was sent included.

use diagnostic::printable;

/// What stands in the place of a secret.
const MASK: &str = "***";
/// Bytes that are looked at, and characters that are passed on.
const MOST_READ: usize = 64 << 10;
const MOST: usize = 200;
/// Fewer characters are no secret, and would be found everywhere.
const SHORTEST_SECRET: usize = 4;

/// The first words, without these secrets. They are replaced before anything is cut: a part of one would not be known again.
pub(super) fn fit<'a>(words: &[u8], secrets: impl IntoIterator<Item = &'a str>) -> String {
    let mut secrets: Vec<&str> = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
    // One may be the beginning of another.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    let longest = secrets.first().map_or(0, |secret| secret.len());
    let mut read = words;
    if words.len() > MOST_READ {
        // Without the beginning of a secret at the end.
        read = &words[..MOST_READ.saturating_sub(longest)];
    }
    let mut text = String::from_utf8_lossy(read).into_owned();
    for secret in secrets {
        text = text.replace(secret, MASK);
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().take(MOST).collect();
    if line.is_empty() { "(no words)".to_owned() } else { printable(&line).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_short_printable_and_without_secrets() {
        assert_eq!(fit(b" one\n two\t\x1b[31m\xff", []), "one two \\u{1b}[31m\u{fffd}");
        assert_eq!(fit(b" \n", ["x"]), "(no words)");
        for before in 190..210 {
            let body = format!("{}hunter2-hunter2 hunter2", "x".repeat(before));
            assert!(!fit(body.as_bytes(), ["hunter2", "hunter2-hunter2"]).contains("hunter"), "{before}");
        }
        let body = format!("{} hunter2", " ".repeat(MOST_READ - 3));
        assert_eq!(fit(body.as_bytes(), ["hunter2"]), "(no words)");
    }
}

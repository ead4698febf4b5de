//! A receiver's words, fit for a log.
//!
//! What a receiver says helps the person who reads it, and may hold anything: commands to a terminal, a whole page, or
//! the credentials that it was sent.

use diagnostic::printable;

/// What stands in the place of a secret.
const MASK: &str = "***";

/// The first of these words, at most `most` characters, without secrets. The secrets are replaced before anything is
/// cut: a part of one would not be known again.
pub fn fit<'a>(words: &[u8], secrets: impl IntoIterator<Item = &'a str>, most: usize) -> String {
    let mut secrets: Vec<&str> = secrets.into_iter().filter(|secret| !secret.is_empty()).collect();
    // One may be the beginning of another.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    let mut text = String::from_utf8_lossy(words).into_owned();
    for secret in secrets {
        if text.contains(secret) {
            text = text.replace(secret, MASK);
        }
    }
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > 4 * most {
            break;
        }
    }
    let line: String = line.chars().take(most).collect();
    if line.is_empty() { "(no words)".to_owned() } else { printable(&line).into_owned() }
}

/// The words of a reply that was read in part, without the beginning of a secret that may stand at their end.
pub fn whole<'a>(words: &'a [u8], secrets: impl IntoIterator<Item = &'a str>) -> &'a [u8] {
    let longest = secrets.into_iter().map(str::len).max().unwrap_or_default();
    &words[..words.len().saturating_sub(longest.saturating_sub(1))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_short_and_printable() {
        assert_eq!(fit(b" one\n two\t\x1b[31m", [], 100), "one two \\u{1b}[31m");
        assert_eq!(fit("äöü".repeat(100).as_bytes(), [], 4), "äöüä");
        assert_eq!(fit(b" \n ", [""], 4), "(no words)");
        assert_eq!(fit(b"\xff", [], 4), "\u{fffd}");
    }

    #[test]
    fn secrets_are_replaced_before_anything_is_cut() {
        let secret = "hunter2-".repeat(8);
        for before in 0..300 {
            for filler in [" ", "x", "x ", "ü"] {
                let body = format!("{}{secret} {secret}", filler.repeat(before));
                let words = fit(body.as_bytes(), ["hunter2-hunter2", &secret], 50);
                assert!(!words.contains("hunter"), "{before}: {words}");
            }
        }
        for length in 0..secret.len() {
            let cut = format!("not {}", &secret[..length]);
            assert!(!fit(whole(cut.as_bytes(), ["x", &*secret]), [&*secret], 50).contains("hunter"), "{length}");
        }
    }
}

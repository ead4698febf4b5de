//! Central's words, fit for a log: what a server says helps the person who reads it, and may hold anything, the credentials
//! that it was sent included.

use delivery::words;

/// Bytes that are looked at, and characters that are passed on.
const MOST_READ: usize = 64 << 10;
const MOST: usize = 200;
/// Fewer characters are no secret, and would be found everywhere.
const SHORTEST_SECRET: usize = 4;

/// The first words, without these secrets.
pub(super) fn fit<'a>(said: &[u8], secrets: impl IntoIterator<Item = &'a str>) -> String {
    let secrets: Vec<&str> = secrets.into_iter().filter(|secret| secret.len() >= SHORTEST_SECRET).collect();
    let secrets = || secrets.iter().copied();
    let read = said.get(..MOST_READ).map_or(said, |begin| words::whole(begin, secrets()));
    words::fit(read, secrets(), MOST)
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

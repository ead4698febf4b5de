//! Slips of the pen.

/// The known word nearest to what was written, if it is near enough to be a slip.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = written.to_lowercase();
    known
        .into_iter()
        // Comparing costs time and memory by the product of both lengths.
        .filter(|word| written.len() <= 2 * word.len() + 8)
        .map(|word| (strsim::damerau_levenshtein(&lower, &word.to_lowercase()), word))
        .filter(|(distance, word)| *distance <= (word.len() / 3).max(1))
        .min()
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["listen", "limits", "retention"];
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("Retnetion", known), Some("retention"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"listen".repeat(100_000), known), None);
    }
}

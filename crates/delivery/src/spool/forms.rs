//! The forms of one message: as long as the output may send it, and shorter ones for a receiver that does not take it.
//!
//! A receiver says only when it is tried that a message is too large for it, and by then the alert itself is gone: what
//! is spooled are its forms, each a whole and valid message.

use std::ops::Range;

/// Begins a body that holds several forms; no text of an alert does, and no message of protobuf.
const SEVERAL: u8 = 0;
/// Bytes that tell how long a form is.
const LENGTH: usize = 8;

/// Puts forms into one body of a spool: the longest first.
pub fn put(forms: &[Vec<u8>]) -> Vec<u8> {
    match forms {
        [only] if only.first() != Some(&SEVERAL) => only.clone(),
        forms => {
            let mut body = vec![SEVERAL];
            for form in forms {
                body.extend_from_slice(&(form.len() as u64).to_be_bytes());
                body.extend_from_slice(form);
            }
            body
        }
    }
}

/// The forms in a body, at least one.
#[must_use]
pub fn read(body: &[u8]) -> Vec<&[u8]> {
    places(body).into_iter().map(|place| &body[place]).collect()
}

/// Where they stand in the body.
#[must_use]
pub fn places(body: &[u8]) -> Vec<Range<usize>> {
    let several = split(body).filter(|forms| !forms.is_empty());
    several.unwrap_or_else(|| std::iter::once(0..body.len()).collect())
}

fn split(body: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut rest = body.strip_prefix(&[SEVERAL])?;
    let mut forms = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk::<LENGTH>()?;
        let (form, behind) = behind.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        let end = body.len() - behind.len();
        forms.push(end - form.len()..end);
        rest = behind;
    }
    Some(forms)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn forms_come_back(forms in proptest::collection::vec(any::<Vec<u8>>(), 1..4)) {
            let body = put(&forms);
            prop_assert_eq!(read(&body), forms.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }

        #[test]
        fn any_body_is_read(body: Vec<u8>) {
            prop_assert!(!read(&body).is_empty());
        }
    }
}

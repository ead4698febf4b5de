//! The forms of one message: as long as the output may send it, and shorter ones for a receiver that does not take it.
//!
//! A receiver says only when it is tried that a message is too large for it, and by then the alert itself is gone: what
//! is spooled are its forms, each a whole and valid message.

/// Begins a body that holds several forms; no text of an alert does.
const SEVERAL: u8 = 0;

/// Puts forms into one body of a spool: the longest first.
pub(crate) fn put(forms: &[Vec<u8>]) -> Vec<u8> {
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
pub(crate) fn read(body: &[u8]) -> Vec<&[u8]> {
    let several = body.strip_prefix(&[SEVERAL]).and_then(split).filter(|forms| !forms.is_empty());
    several.unwrap_or_else(|| vec![body])
}

fn split(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut forms = Vec::new();
    while !rest.is_empty() {
        let (length, behind) = rest.split_first_chunk()?;
        let (form, behind) = behind.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
        forms.push(form);
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

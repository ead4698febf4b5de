//! Passwords of people. What people choose is guessed, unlike [`Secret`]s: so a guess is to cost memory and time.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

use super::StoreError;

/// The fewest characters: what NIST SP 800-63B asks of a password that stands alone.
pub const SHORTEST: usize = 15;

/// More than anyone types; hashing more would be work for nothing.
pub const LONGEST: usize = 256;

/// Characters that are not taken for one another when they are read aloud or typed off.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What nobody's password is: a name that is not known costs as much time as one that is.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// Why a password is not taken.
///
/// # Errors
/// It is too short or too long.
pub fn check(password: &str) -> Result<(), String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(format!("the password has {length} characters; it must have {SHORTEST} at least"));
    }
    if length > LONGEST {
        return Err(format!("the password has {length} characters; it may have {LONGEST} at most"));
    }
    Ok(())
}

/// A new one: 20 letters and digits in groups, 100 bits.
///
/// # Errors
/// The system's random source failed.
pub fn random() -> Result<String, StoreError> {
    let mut random = [0; 20];
    getrandom::fill(&mut random).map_err(StoreError::Random)?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    let groups: Vec<String> = random.chunks(4).map(|group| group.iter().map(letter).collect()).collect();
    Ok(groups.join("-"))
}

/// What is kept of a password: argon2id, 19 MiB, two passes (OWASP's first choice).
///
/// # Errors
/// The system's random source failed.
pub(super) fn keep(password: &str) -> Result<String, StoreError> {
    Ok(Argon2::default().hash_password(password.as_bytes()).map_err(StoreError::Password)?.to_string())
}

/// Whether this is the password; takes as long if there is none.
#[must_use]
pub(super) fn is_right(password: &str, kept: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let password = random().unwrap();
        assert!(check(&password).is_ok());
        let kept = keep(&password).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_right(&password, Some(&kept)));
        assert!(!is_right(&password.to_uppercase(), Some(&kept)));
        assert!(!is_right("", Some(&kept)));
        assert!(!is_right(&password, None));
        assert!(!is_right(&password, Some("")));
        assert_ne!(keep(&password).unwrap(), kept, "each has a salt of its own");
    }

    #[test]
    fn nobody_is_a_hash_that_is_worked_through() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let kept = keep("a password of some length").unwrap();
        let kept = PasswordHash::new(&kept).unwrap();
        assert_eq!((nobody.algorithm, nobody.params.to_string()), (kept.algorithm, kept.params.to_string()));
        assert!(matches!(
            Argon2::default().verify_password(b"", &nobody),
            Err(argon2::password_hash::Error::PasswordInvalid)
        ));
    }

    #[test]
    fn short_and_endless_ones_are_refused() {
        assert!(check("fourteen-chars").unwrap_err().contains("has 14 characters"));
        assert!(check("ääääääääääääääö").is_ok(), "characters, not bytes");
        assert!(check(&"a".repeat(LONGEST + 1)).unwrap_err().contains("at most"));
    }
}

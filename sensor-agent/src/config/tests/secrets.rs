//! Where secrets come from, and that they are not shown.

use secrecy::ExposeSecret;

use super::{Files, main_alone};

#[test]
fn secrets_come_from_files_and_credentials_too() {
    let mut files = Files::new();
    files.write("main.yaml", "mcs: {token: SLS-main}\n");
    let secret = files.write("secret", "SLS-file\n");
    files.write("mcs.token", "SLS-credential\n");
    let token = |files: &Files| files.load().0.mcs.token.unwrap().expose_secret().to_owned();
    let folder = files.folder.path().to_owned();
    assert_eq!(token(&files), "SLS-main");
    files.environment = [("CREDENTIALS_DIRECTORY", folder.as_os_str())].into_iter().collect();
    assert_eq!(token(&files), "SLS-credential");
    files.environment =
        [("CREDENTIALS_DIRECTORY", folder.as_os_str()), ("MCS_TOKEN_FILE", secret.as_os_str())].into_iter().collect();
    assert_eq!(token(&files), "SLS-file");
    files.environment =
        [("CREDENTIALS_DIRECTORY", folder.to_str().unwrap()), ("MCS_TOKEN", "SLS-variable")].into_iter().collect();
    assert_eq!(token(&files), "SLS-variable");

    files.environment = [("MCS_TOKEN_FILE", "/nowhere/token")].into_iter().collect();
    assert!(files.load().1.to_string().contains("the secret /nowhere/token cannot be read: it is not there"));
    files.environment = [("MCS_TOKEN", "hunter2")].into_iter().collect();
    let report = files.load().1.to_string();
    assert!(report.contains("does not begin with `SLS-`") && !report.contains("hunter2"), "{report}");
}

#[test]
fn a_duplicate_secret_is_not_shown() {
    let (_, report) = main_alone("mcs:\n  token: hunter1\n  token: hunter2\n");
    assert!(report.has_errors());
    assert!(!report.to_string().contains("hunter"), "{report}");
}

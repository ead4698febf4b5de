//! Who may own, write and read the files that are read.

use super::*;

#[test]
fn who_can_write_a_file_matters() {
    let files = Files::new();
    let main = files.write("main.yaml", "mcs: {token: SLS-main}\n");
    let messages = |mode| {
        fs::set_permissions(&main, Permissions::from_mode(mode)).unwrap();
        files.load().1.to_string()
    };
    assert_eq!(messages(0o600), "");
    assert_eq!(messages(0o640), "");
    assert!(messages(0o644).contains("warning: ") && messages(0o644).contains("holds a secret that every user"));
    assert!(messages(0o666).contains("can be written by every user of this host"));
    files.write("main.yaml", "");
    assert_eq!(messages(0o644), "");

    let rules = files.write("runtimedetections-rules.yaml", "");
    fs::set_permissions(&rules, Permissions::from_mode(0o622)).unwrap();
    assert!(files.load().1.has_errors());
}

#[test]
fn a_file_of_another_user_is_refused() {
    assert!(rustix::process::geteuid().is_root(), "only root can give files away: run the tests as root");
    let files = Files::new();
    let token = files.write("token", "SLS-main\n");
    let main = files.write("main.yaml", format!("mcs: {{token_file: {}}}\n", token.display()));
    assert_eq!(files.load().1.to_string(), "");
    for (file, what) in [(&token, "secret"), (&main, "configuration")] {
        std::os::unix::fs::chown(file, Some(1000), Some(0)).unwrap();
        let (_, report) = files.load();
        assert!(report.has_errors() && report.to_string().contains(&format!("the {what} ")), "{report}");
        assert!(report.to_string().contains("can be written by user 1000"), "{report}");
        std::os::unix::fs::chown(file, Some(0), Some(1000)).unwrap();
    }
    files.write("main.yaml", "mcs: {token: SLS-main}\n");
    fs::set_permissions(&main, Permissions::from_mode(0o640)).unwrap();
    let (_, report) = files.load();
    assert!(!report.has_errors() && report.to_string().contains("a secret that group 1000 can read"), "{report}");
}

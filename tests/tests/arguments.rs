//! Arguments and names of every shape: what is told is what the kernel had, and always one valid line.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::process::Command;

use sensor_tests::{Mark, Sensor, bytes, of_kind, programs};
use serde_json::{Value, json};

/// Bytes kept of the beginning and of the end of long arguments.
const HEAD: usize = 8192;
const TAIL: usize = 4096;

/// Arguments as they lie in memory, the first one the program's own name.
fn in_memory(program: &OsStr, args: &[String]) -> Vec<u8> {
    let mut out = program.as_bytes().to_vec();
    for arg in args {
        out.push(0);
        out.extend_from_slice(arg.as_bytes());
    }
    out.push(0);
    out
}

/// One side of a cut, in one line.
fn joined(part: &[u8]) -> String {
    let part = part.strip_suffix(&[0]).unwrap_or(part);
    String::from_utf8(part.to_vec()).unwrap().replace('\0', " ")
}

#[test]
fn huge_arguments_keep_both_ends_and_their_size() {
    let mark = Mark::new("huge");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let program = programs::copy(&programs::tiny(), dir.path().join(mark.word()));
    let name = program.as_os_str();
    let fits = "w".repeat(HEAD + TAIL - name.len() - 2);
    let beyond = format!("{fits}w");
    let many: Vec<String> = (0..100_000).map(|number| format!("{number:05}")).collect();
    // Near the kernel's limit of two megabytes.
    let large: Vec<String> = (b'a'..b'p').map(|letter| char::from(letter).to_string().repeat(131_000)).collect();
    for args in [vec![fits], vec![beyond], many, large] {
        let sent = in_memory(name, &args);
        let pid = sensor.finish(Command::new(&program).args(&args).env_clear());
        let exec = sensor.exec_of(pid);
        assert_eq!(exec["args_bytes"], sent.len());
        let cut = sent.len() > HEAD + TAIL;
        assert_eq!(exec["args_truncated"], cut);
        let line = exec["cmdline"].as_str().unwrap();
        let told = exec["args"].as_array().unwrap();
        if cut {
            let (head, tail) = line.split_once(" … ").expect("the mark of the cut");
            assert!(head == joined(&sent[..HEAD]), "the head of {} bytes", sent.len());
            assert!(tail == joined(&sent[sent.len() - TAIL..]), "the tail of {} bytes", sent.len());
            assert_eq!(told.last().unwrap().as_str().unwrap(), tail.rsplit(' ').next().unwrap());
        } else {
            assert!(line == joined(&sent));
            assert_eq!(told.len(), args.len() + 1);
        }
        let alerts = sensor.alerts_about(pid, 1);
        assert_eq!(alerts[0]["process_info"]["args_truncated"], cut);
    }
}

#[test]
fn a_program_that_renames_itself_is_told_as_it_was_started() {
    let mark = Mark::new("renames");
    let sensor = Sensor::start(&mark.config());
    // Perl writes this over the arguments in its memory, where `ps` reads them.
    let script =
        "$0 = 'harmless'; open my $own, '<', '/proc/self/cmdline'; exit(index(<$own>, 'harmless') == 0 ? 0 : 1)";
    let mut perl = Command::new("/usr/bin/perl");
    perl.args(["-e", script, mark.word()]);
    let mut child = perl.spawn().unwrap();
    assert!(child.wait().unwrap().success(), "the program did not write over its arguments");
    let exec = sensor.exec_of(child.id());
    assert_eq!(exec["args"], json!(["/usr/bin/perl", "-e", script, mark.word()]));
}

#[test]
fn no_arguments_and_empty_ones_are_told_apart() {
    let mark = Mark::new("empty");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let program = programs::copy(&programs::tiny(), dir.path().join(mark.word()));
    let last = |pid| of_kind(&sensor.until_exit(pid), "_EXEC").pop().unwrap();

    // Since Linux 5.18 a program without arguments gets an empty one.
    let none = last(sensor.finish(Command::new(programs::act()).arg("empty-argv").arg(&program)));
    assert_eq!((&none["args"], &none["args_bytes"], &none["path"]), (&json!([""]), &json!(1), &json!(program)));

    let empty = last(sensor.finish(Command::new(&program).args(["", "", "x", ""])));
    assert_eq!(empty["args"], json!([program, "", "", "x", ""]));
    assert_eq!(empty["cmdline"], format!("{}   x ", program.display()));
    assert_eq!(empty["args_bytes"], program.as_os_str().len() + 6);
}

#[test]
fn any_bytes_make_one_valid_line_and_come_back() {
    let mark = Mark::new("odd");
    let sensor = Sensor::start(&mark.config());
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().canonicalize().unwrap();
    let mut seen = 0;
    for odd in [
        b"new\nline\r\ttab".as_slice(),
        b"\x1b[31mred\x1b]0;title\x07",
        b"\xff\xfe invalid \xc3",
        b"\"quotes\" and 'these'",
        b"backslash \\x41 \\ \\\\xff \\u0041",
        b"\x01\x7f\xc2\x9b C1",
        "\u{2028}\u{2029}\u{202e}\u{feff}é日本🦀".as_bytes(),
        b"},{\"table\":\"process_events\"}",
        b"{{.UUID}} %s $(id) ; rm *",
    ] {
        seen += 1;
        let name = OsString::from_vec([mark.word().as_bytes(), b" ", odd].concat());
        let place = folder.join(format!("{seen}")).join(&name);
        fs::create_dir_all(&place).unwrap();
        let program = programs::copy(&programs::tiny(), place.join(&name));
        let pid = sensor.finish(Command::new(&program).arg(OsStr::from_bytes(odd)).arg("").current_dir(&place));
        let exec = sensor.exec_of(pid);
        let shown = String::from_utf8_lossy(odd);
        assert_eq!(bytes(&exec["path"]), program.as_os_str().as_bytes(), "{shown}");
        assert_eq!(bytes(&exec["name"]), name.as_bytes(), "{shown}");
        assert_eq!(bytes(&exec["cwd"]), place.as_os_str().as_bytes(), "{shown}");
        let args = exec["args"].as_array().unwrap();
        assert_eq!(args.len(), 3, "{shown}");
        assert_eq!(bytes(&args[0]), program.as_os_str().as_bytes(), "{shown}");
        assert_eq!((bytes(&args[1]), bytes(&args[2])), (odd.to_vec(), Vec::new()), "{shown}");
        let line = [program.as_os_str().as_bytes(), b" ", odd, b" "].concat();
        assert_eq!(bytes(&exec["cmdline"]), line, "{shown}");

        let alert = &sensor.alerts_about(pid, 1)[0];
        assert_eq!(bytes(&alert["process_info"]["name"]), program.as_os_str().as_bytes(), "{shown}");
        assert_eq!(alert["process_info"]["args"], Value::Array(args.clone()), "{shown}");
        assert_eq!(bytes(&alert["process_info"]["cwd"]), place.as_os_str().as_bytes(), "{shown}");
    }
    let home = sensor.home();
    assert_eq!(sensor.stop(), Some(0));
    // Nothing that a name holds makes a line of its own.
    assert_eq!(home.alerts().len(), seen);
    assert_eq!(home.rows("process_events").len(), 2 * seen);
}

#[test]
fn a_shell_that_is_given_a_page_of_text_is_one_row() {
    let mark = Mark::new("page");
    let sensor = Sensor::start(&mark.config());
    let script = format!("{}\n# {}", ":\n".repeat(1000), mark.word());
    let pid = sensor.finish(Command::new("/bin/sh").args(["-c", &script]));
    let exec = sensor.exec_of(pid);
    assert_eq!(exec["args"], json!(["/bin/sh", "-c", script]));
}

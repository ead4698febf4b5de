//! What is handed over once more.

use super::*;

#[test]
fn a_time_is_read_once_more_for_one_output_and_no_position_moves() {
    let mut home = Home::new();
    home.streams = vec![Stream::Events];
    let other = home.folder.path().join("other.txt");
    home.outputs.push(file("other", &other));
    // A minute apart.
    let at = now() - 600;
    let timed = |from: u32, to: u32| {
        let item = |id: u32| {
            let time = crate::source::shown(at + 60 * i64::from(id));
            format!(r#"{{"id": "{id}", "created_at": "{time}"}}"#)
        };
        (from..to).map(item).collect::<Vec<_>>().join(", ")
    };
    home.round(&server([page(&timed(0, 4), false, "e1")]));
    let (first, cursor) = (home.text(), home.cursor(Stream::Events));
    let replay = Replay { from: at, to: at + 120, output: "other".into() };
    home.options = Options { replay: Some(replay.clone()), is_dry: true, ..Options::default() };
    // An item whose clock was wrong ends nothing; a page that is beyond does.
    let first_page = || format!("{}, {}", timed(0, 2), timed(90, 91));
    let pages = || [page(&first_page(), true, "p1"), page(&timed(2, 4), true, "p2"), page(&timed(4, 5), true, "p3")];
    assert_eq!(home.round(&server(pages())).events, 3);
    assert_eq!(ids(&fs::read_to_string(&other).unwrap()), numbers(0, 4));

    home.options.is_dry = false;
    let replayed = server(pages());
    let summary = home.round(&replayed);
    assert_eq!((summary.events, summary.refused), (3, 0));
    assert_eq!(from_date(&replayed.lines()[2]), at);
    assert_eq!(replayed.lines().len(), 5, "what came later is not asked for");
    assert_eq!(ids(&fs::read_to_string(&other).unwrap()), ["0", "1", "2", "3", "0", "1", "2"]);
    assert_eq!((home.text(), home.cursor(Stream::Events)), (first, cursor));
    let position = |home: &Home| home.store().position("other", TENANT, Stream::Events).cloned();
    assert_eq!(position(&home).unwrap().reached.cursor, "e1");

    // And it goes on from where it was.
    home.options = Options::default();
    home.round(&server([page(&timed(4, 5), false, "e2")]));
    assert_eq!(ids(&fs::read_to_string(&other).unwrap()), ["0", "1", "2", "3", "0", "1", "2", "4"]);
}

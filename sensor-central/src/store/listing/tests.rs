use std::sync::Arc;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    metrics::Metrics,
    store::{Alert, Batch, Items, Origin, Store},
};

const TENANT: Uuid = Uuid::from_u128(1);
const END: Place = Place { raised: i64::MAX, row: 0 };

/// An alert that differs from others by its number.
fn alert(number: u128) -> Alert {
    let of = |words: &[&str]| words[number as usize % words.len()].to_owned();
    let (host, user) = (of(&["web-1", "web-2", "db-1"]), of(&["root", "anna"]));
    let tactic = of(&["Execution", "Persistence", "Impact", "Stealth", "Discovery"]);
    let json = json!({ "text": format!("Number-{number}"), "categories": [format!("MITRE.{tactic}.X (T1)")] });
    Alert {
        uuid: Uuid::from_u128(number),
        public_id: Uuid::from_u128(number),
        priority: of(&["High", "Medium", "Low", "Info"]),
        policy: of(&["Shell", "Module"]),
        host,
        user,
        container: of(&["", "c1", "c2"]),
        incident: format!("i{}", number / 4),
        json: json.to_string(),
        ..Alert::default()
    }
}

async fn filled(count: u128) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    for (tenant, numbers) in [(TENANT, 0..count), (Uuid::from_u128(2), 1_000_000..1_000_010)] {
        for number in numbers {
            let batch = Batch {
                origin: Origin { tenant, sensor: "s".into() },
                key: number.to_string(),
                digest: [0; 32],
                received: 1,
                items: Items::Alerts(vec![alert(number)]),
                rejected: Vec::new(),
            };
            store.batch(batch).await.unwrap();
        }
    }
    (dir, store)
}

/// Every page, one after the other: the numbers of the alerts.
fn numbers(store: &Store, sought: &Sought, most: usize) -> Vec<u128> {
    let (mut all, mut before) = (Vec::new(), END);
    loop {
        let page = store.reader().listing(TENANT, sought, before, most).unwrap();
        assert!(page.found.len() <= most);
        all.extend(page.found.iter().map(|listed| listed.alert.public_id.as_u128()));
        match page.next {
            Some(next) => before = next,
            None => return all,
        }
    }
}

fn some<T: Clone + std::fmt::Debug + 'static>(values: Vec<T>) -> impl Strategy<Value = Option<T>> {
    prop::option::of(prop::sample::select(values))
}

fn sought() -> impl Strategy<Value = Sought> {
    let texts = |words: &[&str]| some(words.iter().map(|&word| word.to_owned()).collect());
    (
        (texts(&["web-1", "db-1", "no"]), texts(&["root", "anna"]), texts(&["c1", "c2"]), texts(&["Shell", "Module"])),
        (texts(&["i0", "i3", "i99"]), some(vec![8_u8, 5, 2, 0]), texts(&["Execution", "Impact"])),
        (prop::sample::subsequence(vec!["number-1", "text", "nothing"], 0..2), some(vec![0_i64, 5, 11])),
    )
        .prop_map(|((host, user, container, policy), (incident, severity, tactic), (words, from))| Sought {
            host,
            user,
            container,
            policy,
            incident,
            severity,
            tactic,
            words: words.into_iter().map(str::to_owned).collect(),
            // Places among those there are; the test moves them there.
            from,
            ..Sought::default()
        })
}

/// How far the writer has come with entries.
fn entries_end(store: &Store) -> i64 {
    store.reader().with(entries::end).unwrap().row
}

/// However many of them have entries.
#[test]
fn pages_together_are_all_that_hold_and_no_others() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (dir, store) = runtime.block_on(filled(40));
    while entries_end(&store) < 50 {
        std::thread::yield_now();
    }
    for end in [50, 21, 0] {
        let database = Connection::open(dir.path().join("central.db")).unwrap();
        database.execute("DELETE FROM entries WHERE alert > ?", [end]).unwrap();
        database
            .execute(
                "UPDATE entries_to SET alert = ?1, moment = ifnull((SELECT raised FROM alerts WHERE id = ?1), 0)",
                [end],
            )
            .unwrap();
        assert_eq!(entries_end(&store), end);
        pages_are_whole(&store);
    }
}

fn pages_are_whole(store: &Store) {
    let (everything, end) =
        store.reader().listing_after(TENANT, &Sought::default(), Place { raised: 0, row: 0 }, 100).unwrap();
    assert_eq!((everything.len(), store.reader().newest_place(TENANT).unwrap()), (40, end));
    proptest!(ProptestConfig::with_cases(64), |(mut sought in sought(), most in 1_usize..8)| {
        sought.from = sought.from.map(|number| everything[number as usize].alert.place.raised);
        let wanted: Vec<u128> = everything.iter().rev().filter(|listed| sought.holds(listed))
            .map(|listed| listed.alert.public_id.as_u128()).collect();
        prop_assert_eq!(numbers(store, &sought, most), wanted);
        sought.to = Some(end.raised + 1);
        sought.from = sought.from.or(Some(everything[0].alert.place.raised));
        if let Some(counted) = store.reader().counts(TENANT, &sought, 7).unwrap() {
            let sum: u64 = counted.iter().flat_map(|counted| &counted.counts).map(|count| count.unwrap()).sum();
            prop_assert_eq!(sum, numbers(store, &sought, 40).len() as u64);
        }
    });
}

/// What SQLite would do, in its words.
fn plan(store: &Store, sql: &str, values: Vec<Value>) -> String {
    let explained = store.reader().with(|connection| {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let lines = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3))?;
        lines.collect::<rusqlite::Result<Vec<_>>>()
    });
    explained.unwrap().join("\n")
}

/// Ten million alerts are read from the end of what leads to them; nothing is sorted, nothing is read from its beginning.
#[tokio::test]
async fn every_page_is_read_off_entries() {
    let (_dir, store) = filled(1).await;
    let text = || Some("x".to_owned());
    let arrival = "SEARCH alerts USING INDEX alerts_by_arrival (tenant=? AND raised>? AND raised<?)";
    let entries = "SEARCH entries USING PRIMARY KEY (key=? AND moment>? AND (moment,alert)<(?,?))";
    let sought = [
        (None, Sought::default()),
        (Some((Field::Severity, "8")), Sought { severity: Some(8), ..Sought::default() }),
        (Some((Field::Policy, "x")), Sought { policy: text(), severity: Some(8), ..Sought::default() }),
        (Some((Field::User, "x")), Sought { user: text(), policy: text(), ..Sought::default() }),
        (Some((Field::Host, "x")), Sought { host: text(), user: text(), ..Sought::default() }),
        (Some((Field::Container, "x")), Sought { container: text(), host: text(), ..Sought::default() }),
        (
            Some((Field::Incident, "x")),
            Sought { incident: text(), container: text(), tactic: text(), ..Sought::default() },
        ),
    ];
    for (entry, sought) in sought {
        let sought = Sought { from: Some(1), to: Some(9), ..sought };
        assert_eq!(sought.entry(), entry.map(|(field, value)| (field, value.to_owned())));
        let plans: Vec<_> =
            sought.queries(TENANT, END, BEGIN).into_iter().map(|(sql, values)| plan(&store, &sql, values)).collect();
        let alert = "SEARCH alerts USING INTEGER PRIMARY KEY (rowid=?)";
        let by_entries = format!("{entries}\n{alert}");
        let wanted = if entry.is_some() { vec![arrival, &by_entries] } else { vec![arrival] };
        assert_eq!(plans, wanted);
        let (sql, values) = counting(1, &sought);
        assert_eq!(
            plan(&store, &sql, values.map(Value::from).to_vec()),
            entries.replace("(moment,alert)<(?,?)", "moment<?")
        );
    }
}

#[tokio::test]
async fn a_search_that_finds_nothing_stops_and_goes_on_from_there() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), Arc::new(Metrics::default())).unwrap();
    let count = LOOKS as u128 + 5;
    let batch = Batch {
        origin: Origin { tenant: TENANT, sensor: "s".into() },
        key: "k".into(),
        digest: [0; 32],
        received: 1,
        items: Items::Alerts((0..count).map(alert).collect()),
        rejected: Vec::new(),
    };
    store.batch(batch).await.unwrap();
    // The oldest one alone.
    let sought = Sought { words: vec!["number-0\"".into()], ..Sought::default() };
    let first = store.reader().listing(TENANT, &sought, END, 10).unwrap();
    assert!(first.found.is_empty() && first.is_cut);
    let second = store.reader().listing(TENANT, &sought, first.next.unwrap(), 10).unwrap();
    assert_eq!((second.found.len(), second.next, second.is_cut), (1, None, false));
}

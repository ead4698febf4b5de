//! The one thread that writes: takes what is waiting, makes it durable in one go, then answers.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use prost::Message as _;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};
use sensor_proto::v1::BatchReply;
use tokio::{
    runtime,
    sync::{mpsc, watch},
    time::timeout_at,
};

use super::{
    Alert, Batch, Command, Hello, Items, Outcome, Row, StoreError, Trouble, clock::Clock, entries, retention, troubles,
};
use crate::{event::EventType, metrics::Metrics, severity::Severity};

/// Most requests in one transaction: bounds how long the first of them waits for the last.
const GROUP: usize = 64;

/// How long alerts are without entries at most, if there is room to make them.
const BEHIND: Duration = Duration::from_secs(1);

/// The moment of the last arrival, milliseconds since the Unix epoch; 0 if there is none.
pub(super) fn last_raised(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT max(ifnull((SELECT raised FROM alerts ORDER BY id DESC LIMIT 1), 0),
                          ifnull((SELECT max(raised) FROM rows WHERE raised IS NOT NULL), 0))";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Starts the thread. It ends at [`Command::Close`], or when nobody can ask it any more.
pub(super) fn start(
    connection: Connection,
    arrived: watch::Sender<i64>,
    clock: Clock,
    commands: mpsc::Receiver<Command>,
    metrics: Arc<Metrics>,
    healthy: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = runtime::Builder::new_current_thread().enable_time().build()?;
    // An earlier run may have left alerts without entries, or an earlier version all of them.
    let due = Some(Instant::now());
    let mut writer = WriterThread { connection, arrived, clock, due, behind: 0, metrics, healthy };
    thread::Builder::new().name("store-writer".into()).spawn(move || writer.run(&runtime, commands))
}

struct WriterThread {
    connection: Connection,
    /// The moment of the last transaction, milliseconds since the Unix epoch: told to those who wait for it.
    arrived: watch::Sender<i64>,
    /// By which what is kept ages.
    clock: Clock,
    /// When the next entries are to be made, if there are alerts without.
    due: Option<Instant>,
    /// Alerts that came in since the last were made.
    behind: usize,
    metrics: Arc<Metrics>,
    healthy: Arc<AtomicBool>,
}

/// What there is to do.
enum Next {
    Command(Command),
    Fill,
    End,
}

/// What a command came to, not told to anyone before it is durable.
enum Done {
    Batch { outcome: Outcome, counts: Option<Counts> },
    Hello,
    Expired(retention::Removed),
    Changed(usize),
}

/// When the requests of a transaction came in.
#[derive(Clone, Copy)]
pub(super) struct Arrival {
    /// For readers: see [`WriterThread::arrived`].
    pub(super) raised: i64,
    /// By the database's own clock, nanoseconds.
    pub(super) kept: i64,
}

/// What became of a batch's items.
struct Counts {
    kind: &'static str,
    stored: usize,
    duplicates: usize,
    rejected: usize,
}

impl WriterThread {
    fn run(&mut self, runtime: &runtime::Runtime, mut commands: mpsc::Receiver<Command>) {
        loop {
            let first = match runtime.block_on(next(self.due, &mut commands)) {
                Next::Command(command) => command,
                Next::Fill => {
                    self.fill();
                    continue;
                }
                Next::End => break,
            };
            let mut group = vec![first];
            while group.len() < GROUP
                && let Ok(next) = commands.try_recv()
            {
                group.push(next);
            }
            if group.iter().any(|command| matches!(command, Command::Close)) {
                // What is in the queue already is still taken.
                commands.close();
                group.retain(|command| !matches!(command, Command::Close));
            }
            if !group.is_empty() {
                self.answer(group);
                self.due.get_or_insert_with(|| Instant::now() + BEHIND);
            }
            // Not only once nothing else waits: a load that does not end would leave them behind without end.
            if self.behind >= entries::FILL || self.due.is_some_and(|due| due <= Instant::now()) {
                self.fill();
            }
        }
        if let Err(error) = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
            tracing::warn!(%error, "could not fold the write-ahead log into the database; the next start does it");
        }
    }

    /// Makes entries of alerts that have none, one helping.
    fn fill(&mut self) {
        self.behind = 0;
        let filled =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).and_then(|transaction| {
                let count = entries::fill(&transaction)?;
                transaction.commit()?;
                Ok(count)
            });
        self.due = match filled {
            Ok(entries::FILL) => Some(Instant::now()),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(%error, "could not make the entries that alerts are found by; until then searches are slow");
                Some(Instant::now() + BEHIND)
            }
        };
    }

    /// All in one transaction; if that fails, each in its own, so that one fault is not everybody's.
    fn answer(&mut self, mut group: Vec<Command>) {
        match self.commit(&group) {
            Ok(done) => {
                self.healthy.store(true, Ordering::Relaxed);
                group.into_iter().zip(done).for_each(|(command, done)| self.reply(command, Some(done)));
            }
            Err(_) if group.len() > 1 => group.drain(..).for_each(|command| self.answer(vec![command])),
            Err(error) => {
                tracing::error!(%error, "could not store a request; its sender was told to send it again");
                self.healthy.store(false, Ordering::Relaxed);
                self.metrics.commit_failures.inc();
                group.drain(..).for_each(|command| self.reply(command, None));
            }
        }
    }

    fn commit(&mut self, group: &[Command]) -> rusqlite::Result<Vec<Done>> {
        let start = Instant::now();
        // Later than all that readers can see, also when the clock was set back.
        let raised = (crate::now() / 1_000_000).max(*self.arrived.borrow() + 1);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if group.iter().any(|command| matches!(command, Command::Expire(..) | Command::Look(..))) {
            self.clock.save(&transaction)?;
        }
        let arrival = Arrival { raised, kept: self.clock.now() };
        let apply = |command| apply(&transaction, command, arrival);
        let done = group.iter().map(apply).collect::<rusqlite::Result<Vec<_>>>()?;
        transaction.commit()?;
        self.arrived.send_replace(raised);
        // A look after the sensors is nobody's request.
        if !group.iter().all(|command| matches!(command, Command::Look(..))) {
            self.metrics.commit_seconds.observe(start.elapsed().as_secs_f64());
            #[expect(clippy::cast_precision_loss, reason = "at most GROUP")]
            self.metrics.commit_requests.observe(group.len() as f64);
        }
        Ok(done)
    }

    /// Tells the asker; that nobody listens any more is no fault.
    fn reply(&mut self, command: Command, done: Option<Done>) {
        match (command, done) {
            (Command::Batch(_, reply), Some(Done::Batch { outcome, counts })) => {
                if let Some(counts) = counts {
                    self.behind += if counts.kind == "alerts" { counts.stored } else { 0 };
                    self.metrics.items(counts.kind, "stored", counts.stored);
                    self.metrics.items(counts.kind, "duplicate", counts.duplicates);
                    self.metrics.items(counts.kind, "rejected", counts.rejected);
                }
                let _ = reply.send(Ok(outcome));
            }
            (Command::Batch(_, reply), _) => drop(reply.send(Err(StoreError::Failed))),
            (Command::Hello(_, reply), Some(_)) => drop(reply.send(Ok(()))),
            (Command::Hello(_, reply), None) => drop(reply.send(Err(StoreError::Failed))),
            (Command::Expire(_, reply), Some(Done::Expired(removed))) => {
                removed.count(&self.metrics);
                let _ = reply.send(Ok(removed.total()));
            }
            (Command::Expire(_, reply), _) => drop(reply.send(Err(StoreError::Failed))),
            (Command::Change(_, reply) | Command::Look(_, reply), Some(Done::Changed(count))) => {
                drop(reply.send(Ok(count)));
            }
            (Command::Change(_, reply) | Command::Look(_, reply), _) => drop(reply.send(Err(StoreError::Failed))),
            (Command::Close, _) => {}
        }
    }
}

/// Waits for a command, as long as nothing else is to be done.
async fn next(due: Option<Instant>, commands: &mut mpsc::Receiver<Command>) -> Next {
    let received = match due {
        Some(due) => match timeout_at(due.into(), commands.recv()).await {
            Ok(received) => received,
            Err(_) => return Next::Fill,
        },
        None => commands.recv().await,
    };
    received.map_or(Next::End, Next::Command)
}

fn apply(transaction: &Transaction<'_>, command: &Command, arrival: Arrival) -> rusqlite::Result<Done> {
    match command {
        Command::Batch(batch, _) => store_batch(transaction, batch, arrival),
        Command::Hello(hello, _) => store_hello(transaction, hello, arrival),
        Command::Expire(retention, _) => retention::expire(transaction, *retention, arrival.kept).map(Done::Expired),
        Command::Look(silent, _) => troubles::look(transaction, *silent, arrival).map(Done::Changed),
        Command::Change(change, _) => (change.0)(transaction).map(Done::Changed),
        Command::Close => Ok(Done::Hello),
    }
}

fn store_batch(transaction: &Transaction<'_>, batch: &Batch, arrival: Arrival) -> rusqlite::Result<Done> {
    let kind = batch.items.kind();
    let tenant = batch.origin.tenant.to_string();
    let known = transaction
        .prepare_cached("SELECT digest, reply FROM batches WHERE tenant = ? AND sensor = ? AND kind = ? AND key = ?")?
        .query_row(params![tenant, batch.origin.sensor, kind, batch.key], |row| {
            Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?))
        })
        .optional()?;
    if let Some((digest, reply)) = known {
        let outcome =
            if digest == batch.digest { Outcome::Stored { reply, replayed: true } } else { Outcome::KeyReused };
        return Ok(Done::Batch { outcome, counts: None });
    }
    let (total, stored) = match &batch.items {
        Items::Alerts(alerts) => (alerts.len(), store_alerts(transaction, batch, alerts, arrival)?),
        Items::Rows(rows) => (rows.len(), store_rows(transaction, batch, rows, arrival)?),
    };
    let counts = Counts { kind, stored, duplicates: total - stored, rejected: batch.rejected.len() };
    let reply =
        BatchReply { accepted: total as u64, duplicates: counts.duplicates as u64, rejected: batch.rejected.clone() }
            .encode_to_vec();
    transaction
        .prepare_cached(
            "INSERT INTO batches (tenant, sensor, kind, key, digest, received, kept, reply) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![tenant, batch.origin.sensor, kind, batch.key, batch.digest, batch.received, arrival.kept, reply])?;
    transaction
        .prepare_cached(
            "INSERT INTO sensors (tenant, sensor, first_seen, last_seen, heard, lost_at) VALUES (?1, ?2, ?3, ?3, ?4, iif(?5, ?4, NULL))
             ON CONFLICT DO UPDATE SET last_seen = max(last_seen, ?3), heard = ?4, lost_at = iif(?5, ?4, lost_at)",
        )?
        .execute(params![tenant, batch.origin.sensor, batch.received, arrival.kept, batch.items.tell_of_losses()])?;
    Ok(Done::Batch { outcome: Outcome::Stored { reply, replayed: false }, counts: Some(counts) })
}

/// Says how many of them were new.
fn store_alerts(
    transaction: &Transaction<'_>,
    batch: &Batch,
    alerts: &[Alert],
    arrival: Arrival,
) -> rusqlite::Result<usize> {
    let (tenant, sensor) = (batch.origin.tenant.to_string(), &batch.origin.sensor);
    let mut stored = 0;
    for alert in alerts {
        let is_new = insert_alert(transaction, &tenant, sensor, batch.received, arrival, alert)?;
        stored += usize::from(is_new);
        if is_new && alert.is_tampering {
            troubles::begin(
                transaction,
                &tenant,
                sensor,
                Trouble::Tampered,
                alert.public_id,
                &format!("Somebody meddled with the sensor: {}", alert.policy),
                arrival,
            )?;
        }
    }
    Ok(stored)
}

/// Says whether it was new.
pub(super) fn insert_alert(
    transaction: &Transaction<'_>,
    tenant: &str,
    sensor: &str,
    received: i64,
    arrival: Arrival,
    alert: &Alert,
) -> rusqlite::Result<bool> {
    let Alert { uuid, public_id, time, priority, policy, host, user, container, incident, is_tampering: _, json } =
        alert;
    let stored = transaction
        .prepare_cached(
            "INSERT INTO alerts (tenant, uuid, sensor, received, time, priority, policy, host, json, public_id, raised, severity,
                                 kept, user, container, incident)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, uuid) DO NOTHING",
        )?
        .execute(params![
            tenant,
            uuid.to_string(),
            sensor,
            received,
            time,
            priority,
            policy,
            host,
            json,
            public_id.as_bytes(),
            arrival.raised,
            Severity::of_priority(priority).number,
            arrival.kept,
            user,
            container,
            incident,
        ])?;
    Ok(stored > 0)
}

fn store_rows(transaction: &Transaction<'_>, batch: &Batch, rows: &[Row], arrival: Arrival) -> rusqlite::Result<usize> {
    let (tenant, sensor) = (batch.origin.tenant.to_string(), &batch.origin.sensor);
    for row in rows {
        insert_row(transaction, &tenant, sensor, batch.received, arrival, row)?;
    }
    Ok(rows.len())
}

pub(super) fn insert_row(
    transaction: &Transaction<'_>,
    tenant: &str,
    sensor: &str,
    received: i64,
    arrival: Arrival,
    row: &Row,
) -> rusqlite::Result<()> {
    let Row { table, time, event, json } = row;
    let (event, raised) = (event.map(EventType::name), event.map(|_| arrival.raised));
    transaction
        .prepare_cached(
            "INSERT INTO rows (tenant, sensor, received, table_name, time, json, event, raised, kept)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![tenant, sensor, received, table, time, json, event, raised, arrival.kept])?;
    Ok(())
}

fn store_hello(transaction: &Transaction<'_>, hello: &Hello, arrival: Arrival) -> rusqlite::Result<Done> {
    // Its count begins anew with it.
    transaction
        .prepare_cached(
            "INSERT INTO sensors (tenant, sensor, hostname, version, metadata, skew, first_seen, last_seen, statistics, heard, losses,
                                  lost_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8, ?9, ifnull(?10, 0), iif(?10 > 0, ?9, NULL))
             ON CONFLICT DO UPDATE SET hostname = ?3, version = ?4, metadata = ?5, skew = ?6,
                                       last_seen = max(last_seen, ?7),
                                       statistics = iif(?8 = '{}', statistics, ?8), heard = ?9, losses = ifnull(?10, losses),
                                       lost_at = iif(?10 > iif(?10 < losses, 0, losses), ?9, lost_at)",
        )?
        .execute(params![
            hello.origin.tenant.to_string(),
            hello.origin.sensor,
            hello.hostname,
            hello.version,
            hello.metadata,
            hello.skew,
            hello.received,
            hello.statistics,
            arrival.kept,
            hello.lost,
        ])?;
    Ok(Done::Hello)
}

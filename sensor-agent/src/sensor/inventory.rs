//! What is configured, kept for those who ask, and what came of it by now.

use foldhash::HashMap;
use schema::TABLES;

use super::{Shared, status::delivery};
use crate::config::Config;
use crate::control::Inventory;
use crate::control::inventory::{Exception, List, Output, Policy, Table};
use crate::control::status::Delivery;
use crate::engine::Request;
use crate::output::{OutputSettings, SinkSettings, Target};
use crate::plan::Plan;
use crate::rules::lists_named;

/// What a configuration says, with nothing having come of it yet.
pub(super) fn of(config: &Config, plan: &Plan) -> Inventory {
    Inventory {
        policies: policies(config, plan),
        tables: tables(config, &plan.sinks),
        lists: lists(config, plan),
        outputs: plan.outputs.iter().map(output).chain(plan.sinks.iter().map(sink)).collect(),
    }
}

/// The same with what came of it.
///
/// # Errors
/// The engine does not answer.
pub(super) fn now(shared: &Shared) -> Result<Inventory, String> {
    let mut inventory = shared.inventory.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let counts = shared.ask(Request::Counts)?;
    let by_name: HashMap<_, _> = counts.policies.into_iter().collect();
    for policy in &mut inventory.policies {
        if let Some(counts) = by_name.get(&policy.name) {
            (policy.alerts, policy.held_back, policy.last) = (counts.alerts, counts.held_back, counts.last);
            for (exception, taken) in policy.exceptions.iter_mut().zip(&counts.excepted) {
                exception.alerts = *taken;
            }
            policy.excepted = counts.excepted.iter().sum();
        }
    }
    for (status, held) in counts.tables {
        if let Some(table) = inventory.tables.iter_mut().find(|table| table.name == status.table) {
            (table.rows, table.oldest, table.recorded) = (status.rows as u64, held.oldest, status.recorded);
            (table.overwritten, table.no_memory) = (status.overwritten, status.no_memory);
        }
    }
    let (outputs, sinks) = (shared.outputs.status(), shared.sinks.status());
    for output in &mut inventory.outputs {
        let told = if output.takes == [ROWS] { &sinks } else { &outputs };
        if let Some(status) = told.iter().find(|status| status.name == output.delivery.name) {
            output.delivery = delivery(status);
        }
    }
    Ok(inventory)
}

fn policies(config: &Config, plan: &Plan) -> Vec<Policy> {
    let off: HashMap<&str, &str> = plan.off.iter().map(|off| (off.name.as_str(), off.why.as_str())).collect();
    let policy = |policy: &crate::config::Policy| {
        let why_off = off.get(policy.name.value.as_str()).map(|why| (*why).to_owned());
        Policy {
            name: policy.name.value.clone(),
            policy_type: policy.policy_type.word.to_owned(),
            group: policy.content_group.as_ref().map(|group| group.path()).unwrap_or_default(),
            priority: policy.priority.word().to_owned(),
            rules: policy.rules.len() as u64,
            exceptions: policy.exceptions.iter().map(exception).collect(),
            on: why_off.is_none(),
            why_off,
            ..Policy::default()
        }
    };
    config.policies.iter().map(policy).collect()
}

fn exception(exception: &crate::config::Exception) -> Exception {
    Exception {
        rule: exception.rule.value.trim().to_owned(),
        comment: exception.comment.clone(),
        until: exception.until.as_ref().map(|day| day.value.to_string()),
        ends: exception.expires(),
        alerts: 0,
    }
}

fn tables(config: &Config, sinks: &[SinkSettings]) -> Vec<Table> {
    let recorder = &config.investigations.flight_recorder;
    let table = |table: &&'static schema::Table| {
        let named = recorder.tables.iter().find(|named| named.table.name == table.name);
        // What nothing fills is of interest to those alone who named it.
        if named.is_none() && !table.is_filled() {
            return None;
        }
        let why_off = match named {
            _ if !table.is_filled() => Some("nothing fills it yet"),
            _ if !recorder.enabled => Some("the recorder is (`flight_recorder.enabled`)"),
            None => Some("not among `flight_recorder.tables`"),
            Some(named) if !named.enabled => Some("`enabled: false`"),
            Some(_) => None,
        };
        let takes = |sink: &&SinkSettings| sink.target.takes(table);
        let on = why_off.is_none();
        Some(Table {
            name: table.name.to_owned(),
            doc: table.doc.to_owned(),
            on,
            why_off: why_off.map(str::to_owned),
            capacity: named.filter(|_| on).map_or(0, |named| named.rows),
            columns: table.columns.iter().map(|column| column.field.column.to_owned()).collect(),
            filter: named.iter().flat_map(|named| &named.filter).map(|rule| rule.value.trim().to_owned()).collect(),
            sinks: sinks.iter().filter(takes).filter(|_| on).map(|sink| sink.name.clone()).collect(),
            ..Table::default()
        })
    };
    TABLES.iter().filter_map(table).collect()
}

fn lists(config: &Config, plan: &Plan) -> Vec<List> {
    let policies = config.policies.iter().map(|policy| {
        let exceptions = policy.exceptions.iter().map(|exception| &exception.rule);
        (policy.name.value.as_str(), policy.rules.iter().chain(exceptions).collect::<Vec<_>>())
    });
    let tables =
        config.investigations.flight_recorder.tables.iter().map(|it| (it.table.name, it.filter.iter().collect()));
    let mut used: HashMap<String, Vec<String>> = HashMap::default();
    for (user, rules) in policies.chain(tables) {
        for list in rules.iter().flat_map(|rule| lists_named(&rule.value)) {
            let users = used.entry(list).or_default();
            if users.last().is_none_or(|last| last != user) {
                users.push(user.to_owned());
            }
        }
    }
    let list = |list: &crate::plan::ListLine| List {
        name: list.name.clone(),
        kind: list.kind.to_owned(),
        entries: list.entries as u64,
        used_by: used.remove(&list.name).unwrap_or_default(),
    };
    plan.lists.iter().map(list).collect()
}

fn output(settings: &OutputSettings) -> Output {
    let takes = settings.message_types.iter().map(|it| it.word().to_owned()).collect();
    let format = if settings.template.is_some() { "template" } else { settings.format.word() };
    named(&settings.name, &*settings.target, takes, format)
}

/// What a sink takes.
const ROWS: &str = "rows";

fn sink(settings: &SinkSettings) -> Output {
    named(&settings.name, &*settings.target, vec![ROWS.to_owned()], settings.format.word())
}

fn named(name: &str, target: &dyn Target, takes: Vec<String>, format: &str) -> Output {
    let format = target.form().unwrap_or(format);
    let delivery = Delivery { name: name.to_owned(), kind: target.kind().to_owned(), ..Delivery::default() };
    Output { takes, format: format.to_owned(), delivery }
}

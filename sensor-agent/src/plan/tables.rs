//! The flight recorder's tables, their filters compiled class by class.

use diagnostic::{Report, SourceId, Span};
use schema::Class;

use crate::config::{Config, RecorderTable};
use crate::recorder::{Filters, Recorder, TableSettings};
use crate::rules::{self, Chain, Lists, MissingDefault, Verdict};

pub(super) fn compile(config: &Config, lists: &Lists, has_sinks: bool, report: &mut Report) -> Recorder {
    let recorder = &config.investigations.flight_recorder;
    // Of those that nothing fills yet the fields are not known, their grammar is.
    for rule in recorder.tables.iter().filter(|table| !table.table.is_filled()).flat_map(|table| &table.filter) {
        if let Err(problem) = rules::parse(&rule.value) {
            problem.report(rule, report);
        }
    }
    let filled: Vec<(&RecorderTable, Class)> =
        recorder.tables.iter().filter_map(|table| Some((table, table.table.class()?))).collect();
    // Filters of tables that are off are checked as well.
    let (on, off): (Vec<_>, Vec<_>) = filled.into_iter().partition(|(table, _)| recorder.enabled && table.enabled);
    for class in Class::ALL {
        let _ = filters(class, &off, lists, report);
    }
    let settings: Vec<TableSettings> = on
        .iter()
        .map(|(table, _)| TableSettings { table: table.table, rows: usize::try_from(table.rows).unwrap_or(usize::MAX) })
        .collect();
    let filters = Class::ALL.iter().filter_map(|&class| filters(class, &on, lists, report)).collect();
    Recorder::new(&settings, filters, has_sinks)
}

fn filters(class: Class, tables: &[(&RecorderTable, Class)], lists: &Lists, report: &mut Report) -> Option<Filters> {
    let nowhere = Span { source: SourceId::default(), bytes: 0..0 };
    let of_class: Vec<usize> = (0..tables.len()).filter(|&index| tables[index].1 == class).collect();
    let chains: Vec<Chain<'_>> = of_class
        .iter()
        .map(|&index| {
            let table = tables[index].0;
            Chain {
                name: table.table.name,
                rules: &table.filter,
                span: table.span.as_ref().unwrap_or(&nowhere),
                on_missing_default: MissingDefault::Is(Verdict::Match),
            }
        })
        .collect();
    let rules = rules::compile(class, &chains, lists, report);
    (!of_class.is_empty()).then_some(Filters { class, rules, tables: of_class })
}

//! The detection of a rule as a condition of the rule language.

use foldhash::HashMap;
use settings::{Entry, Node, Value};

use super::Fault;
use super::compare::Comparison;
use super::condition::{self, Condition};
use super::documents::Document;
use super::expr::Expr;
use super::modifiers::{Change, Key, Matching};
use super::rule::Rule;
use super::sources::{self, View};

/// The condition of a policy.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) view: &'static View,
    pub(super) expr: Expr,
    pub(super) lists: Vec<Vec<String>>,
    /// As many as lists.
    pub(super) list_names: Vec<String>,
}

impl Translated {
    /// Names the lists, by a number that no other rule has.
    pub(super) fn name_lists(&mut self, rule: usize) {
        let names = (1..=self.lists.len()).map(|list| format!("Sigma-{rule}-values-{list}"));
        self.list_names = names.collect();
    }
}

/// Searches that the conditions of a rule name at most, each as often as it is named.
const NAMED: usize = 2_000;

/// What a rule's detection says, and what of it is left out.
///
/// # Errors
/// What in it is not understood, or why no event could pass.
pub(super) fn translate(rule: &Rule<'_>, document: &Document<'_>) -> Result<(Translated, Vec<Fault>), Fault> {
    let view = sources::view(rule.product.as_deref(), rule.category.as_deref(), rule.service.as_deref())
        .map_err(|why| Fault::at(rule.log_source_line, why))?;
    let mut translator = Translator {
        rule,
        document,
        view,
        searches: HashMap::default(),
        named: 0,
        lists: Vec::new(),
        losses: Vec::new(),
        never: None,
    };
    let mut alternatives = Vec::new();
    for (text, line) in &rule.conditions {
        let condition = condition::parse(text).map_err(|why| Fault::at(*line, why))?;
        alternatives.push(translator.condition(&condition).map_err(|fault| match fault.line {
            None => Fault::at(*line, fault.message),
            Some(_) => fault,
        })?);
    }
    let expr = Expr::any(alternatives);
    let Translator { lists, losses, never, .. } = translator;
    // Left out of a rule that alerts on all, or on nothing, a part is no small loss.
    let decided = matches!(expr, Expr::Never) || expr == Expr::Always && !losses.is_empty();
    if decided {
        let why = losses.into_iter().next().or(never);
        return Err(why.unwrap_or_else(|| Fault::whole("no event passes its condition")));
    }
    Ok((Translated { view, expr, lists, list_names: Vec::new() }, losses))
}

pub(super) struct Translator<'a> {
    rule: &'a Rule<'a>,
    pub(super) document: &'a Document<'a>,
    view: &'static View,
    /// Those that were translated.
    searches: HashMap<&'a str, Expr>,
    named: usize,
    pub(super) lists: Vec<Vec<String>>,
    losses: Vec<Fault>,
    /// Why some comparison never holds.
    pub(super) never: Option<Fault>,
}

impl<'a> Translator<'a> {
    fn condition(&mut self, condition: &Condition) -> Result<Expr, Fault> {
        Ok(match condition {
            Condition::Name(name) => {
                let found = self.rule.searches.iter().copied().find(|entry| entry.key.value == *name);
                let entry = found.ok_or_else(|| Fault::whole(format!("the detection has no `{name}`")))?;
                self.search(entry)?
            }
            Condition::Of { all, pattern } => {
                let is_named = |entry: &&Entry| condition::names(pattern.as_deref(), &entry.key.value);
                let named: Vec<_> = self.rule.searches.iter().copied().filter(is_named).collect();
                if named.is_empty() {
                    let pattern = pattern.as_deref().unwrap_or("them");
                    return Err(Fault::whole(format!("nothing in the detection is named `{pattern}`")));
                }
                let parts = named.into_iter().map(|entry| self.search(entry)).collect::<Result<Vec<_>, _>>()?;
                if *all { Expr::all(parts) } else { Expr::any(parts) }
            }
            Condition::Not(inner) => self.condition(inner)?.not(),
            Condition::And(parts) => {
                Expr::all(parts.iter().map(|part| self.condition(part)).collect::<Result<Vec<_>, _>>()?)
            }
            Condition::Or(parts) => {
                Expr::any(parts.iter().map(|part| self.condition(part)).collect::<Result<Vec<_>, _>>()?)
            }
        })
    }

    fn search(&mut self, entry: &'a Entry) -> Result<Expr, Fault> {
        self.named += 1;
        if self.named > NAMED {
            return Err(Fault::whole(format!("the condition names more than {NAMED} searches")));
        }
        let name = entry.key.value.as_str();
        if let Some(expr) = self.searches.get(name) {
            return Ok(expr.clone());
        }
        let empty = || Fault::at(self.document.line(&entry.key.span), format!("`{name}` is empty"));
        let expr = match &entry.value.value {
            Value::Null => return Err(empty()),
            Value::Sequence(items) if items.is_empty() => return Err(empty()),
            Value::Mapping(entries) if entries.is_empty() => return Err(empty()),
            Value::Scalar(_) => self.keywords(std::slice::from_ref(&entry.value), false)?,
            Value::Mapping(entries) => self.map(entries)?,
            Value::Sequence(items) => {
                let mut parts = Vec::new();
                let (maps, words): (Vec<_>, Vec<_>) =
                    items.iter().cloned().partition(|item| matches!(item.value, Value::Mapping(_)));
                if !words.is_empty() {
                    parts.push(self.keywords(&words, false)?);
                }
                for map in &maps {
                    parts.push(self.map(map.entries())?);
                }
                Expr::any(parts)
            }
        };
        self.searches.insert(name, expr.clone());
        Ok(expr)
    }

    fn map(&mut self, entries: &[Entry]) -> Result<Expr, Fault> {
        let parts = entries.iter().map(|entry| self.field(entry)).collect::<Result<Vec<_>, _>>()?;
        Ok(Expr::all(parts))
    }

    /// What is looked for in the whole event.
    fn keywords(&mut self, values: &[Node], all: bool) -> Result<Expr, Fault> {
        let key = Key {
            field: String::new(),
            matching: Matching::Text { changes: vec![Change::Unbound(true, true)], cased: false },
            all: false,
            differs: false,
        };
        self.anywhere(&key, values, all)
    }

    fn anywhere(&mut self, key: &Key, values: &[Node], all: bool) -> Result<Expr, Fault> {
        let Some(first) = values.first() else { return Err(Fault::whole("nothing is looked for")) };
        let view = self.view;
        let message = format!("what is looked for in the whole event is looked for in {}", view.searched.join(", "));
        let loss = Fault::at(self.document.line(&first.span), message);
        if !self.losses.contains(&loss) {
            self.losses.push(loss);
        }
        let mut parts = Vec::new();
        for values in if all { values.chunks(1) } else { values.chunks(values.len()) } {
            let mut places = Vec::new();
            for mapping in view.searched.iter().filter_map(|name| view.field(name)) {
                places.push(Comparison::new(self, mapping, key).of(values)?);
            }
            parts.push(Expr::any(places));
        }
        Ok(Expr::all(parts))
    }

    fn field(&mut self, entry: &Entry) -> Result<Expr, Fault> {
        let line = self.document.line(&entry.key.span);
        let key = Key::read(&entry.key.value).map_err(|why| Fault::at(line, why))?;
        let values = match &entry.value.value {
            Value::Sequence(items) if items.is_empty() => {
                return Err(Fault::at(line, format!("`{}` has no values", entry.key.value)));
            }
            Value::Sequence(items) => items.as_slice(),
            _ => std::slice::from_ref(&entry.value),
        };
        if key.field.is_empty() {
            let Matching::Text { changes, .. } = &key.matching else {
                return Err(Fault::at(line, format!("`{}` needs a field", entry.key.value)));
            };
            if !changes.is_empty() || key.differs {
                return Err(Fault::at(line, format!("`{}` needs a field", entry.key.value)));
            }
            return self.keywords(values, key.all);
        }
        let Some(mapping) = self.view.field(&key.field) else {
            let why = self.view.why_not(&key.field).map_or(String::new(), |why| format!(": {why}"));
            self.losses.push(Fault::at(line, format!("the sensor does not record `{}`{why}", key.field)));
            return Ok(Expr::Never);
        };
        let is_list = matches!(entry.value.value, Value::Sequence(_));
        let mut comparison = Comparison::new(self, mapping, &key);
        let expr = match (&key.matching, &values[0].value) {
            (Matching::Exists, Value::Scalar(scalar)) if scalar.is_bool() && !is_list => {
                let exists = comparison.exists();
                if scalar.text.eq_ignore_ascii_case("true") { exists } else { exists.not() }
            }
            (Matching::Exists, _) => {
                return Err(Fault::at(line, format!("`{}` is true or false", entry.key.value)));
            }
            (Matching::Text { changes, .. }, Value::Null) if !is_list && changes.is_empty() => {
                comparison.exists().not()
            }
            _ => comparison.of(values)?,
        };
        Ok(if key.differs { Expr::all([Comparison::new(self, mapping, &key).exists(), expr.not()]) } else { expr })
    }
}

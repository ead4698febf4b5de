//! A process below its ancestors, as a tree.

use maud::{Markup, html};
use serde_json::Value;

use super::layout::time;

/// Ancestors that are drawn; a sensor knows fewer.
const MOST: usize = 64;

/// The tree of an alert: the oldest ancestor at its root.
pub(super) fn draw(told: &Value) -> Markup {
    let process = &told["process_info"];
    if !process.is_object() {
        return html! { p { "It is about no process." } };
    }
    let ancestors = told["lineage"].as_array().map(Vec::as_slice).unwrap_or_default();
    let shown = &ancestors[..ancestors.len().min(MOST)];
    let is_cut = shown.len() < ancestors.len() || told["lineage_truncated"] == true;
    // From the leaf up: each ancestor is around what is below it.
    let leaf = html! { li.leaf aria-current="true" { (one(process)) } };
    let tree = shown.iter().fold(leaf, |below, ancestor| html! { li { (one(ancestor)) ul { (below) } } });
    html! {
        @if is_cut { p.hint { "Older ancestors are not known." } }
        ul.tree { (tree) }
    }
}

fn one(process: &Value) -> Markup {
    let text = |name: &str| process[name].as_str().filter(|text| !text.is_empty());
    let words: Vec<&str> = process["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let user = text("user").map(str::to_owned).or_else(|| process["uid"].as_u64().map(|uid| uid.to_string()));
    let effective = process["euid"].as_u64().filter(|euid| Some(*euid) != process["uid"].as_u64());
    html! {
        div.process {
            span.path { (text("name").unwrap_or("unknown program")) }
            @if let Some(pid) = process["pid"].as_u64() { " " span.hint { "pid " (pid) } }
            @if let Some(user) = user { " " span.hint { "user " (user) @if let Some(euid) = effective { ", as " (euid) } } }
            @if let Some(started) = process["start_time"].as_i64().filter(|time| *time > 0) { " " span.hint { "since " (time(started)) } }
            @if words.len() > 1 || words.first() != text("name").as_ref() {
                @if !words.is_empty() { div.path.line { (words.join(" ")) @if process["args_truncated"] == true { " …" } } }
            }
            @for (name, label) in [("script_path", "script"), ("host_path", "on the host"), ("cwd", "in"), ("tty", "at"), ("sha256", "SHA-256")] {
                @if let Some(value) = text(name) { div.more { span.hint { (label) } " " span.path { (value) } } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_process_stands_below_its_ancestors() {
        let told = json!({
            "process_info": { "name": "/bin/sh", "args": ["sh", "-c", "<x>"], "pid": 3, "uid": 1, "euid": 0 },
            "lineage": [{ "name": "/bin/parent", "pid": 2, "user": "anna" }, { "name": "/sbin/init", "pid": 1 }],
        });
        let drawn = draw(&told).into_string();
        let at = |text: &str| drawn.find(text).unwrap_or_else(|| panic!("{text}: {drawn}"));
        assert!(at("/sbin/init") < at("/bin/parent") && at("/bin/parent") < at("/bin/sh"));
        assert_eq!((drawn.matches("<ul").count(), drawn.matches("</li></ul>").count()), (3, 3), "{drawn}");
        at("sh -c &lt;x&gt;");
        at("user 1, as 0");
        assert!(!drawn.contains("not known"));
    }

    #[test]
    fn what_is_missing_is_told() {
        assert!(draw(&json!({})).into_string().contains("about no process"));
        let deep: Vec<Value> = (0..100).map(|pid| json!({ "pid": pid })).collect();
        let drawn = draw(&json!({ "process_info": {}, "lineage": deep })).into_string();
        assert!(drawn.contains("Older ancestors are not known") && !drawn.contains("pid 64<"), "{drawn}");
    }
}

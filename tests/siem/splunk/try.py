#!/usr/bin/env python3
"""Holds an add-on for Splunk to what it has to make of the lines that are written, and to the Common Information Model.

    tests/siem/splunk/try.py ADD-ON [MODELS]

MODELS is the folder with the data models that pytest-splunk-addon has. Afterwards each setting of the add-on is left out once,
which has to be noticed: one that is not needed, or that nothing here tries, is an error.
"""

import calendar
import json
import pathlib
import re
import sys
import time
import xml.etree.ElementTree as xml

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))

import expressions  # noqa: E402
import held  # noqa: E402
import searches  # noqa: E402
import splunk  # noqa: E402

# What the tags promise.
DATASETS = {
    *("Alerts.Alerts", "Malware.Malware Attacks", "Endpoint.Processes"),
    *("Change.All_Changes", "Change.Account_Management", "Change.Endpoint_Changes"),
}
ROOT = pathlib.Path(__file__).resolve().parents[3]
# What says how Splunk shows a sourcetype, or tells forwarders what LINE_BREAKER tells indexers.
OF_NO_EFFECT_HERE = {"category", "description", "pulldown_type", "EVENT_BREAKER_ENABLE", "EVENT_BREAKER", "disabled"}


def events(addon):
    """Each line by its input, as an event, with what it has to be."""
    for name, sourcetype, host, stream, wanted_host in held.inputs(ROOT):
        found = addon.index(stream, sourcetype, host)
        assert len(found) == len(stream.splitlines()), f"{name}: {len(found)} events of {len(stream.splitlines())} lines"
        for event in found:
            assert event["_raw"].startswith("{") and event["_raw"].endswith("}"), f"{name}: not the object alone: {event['_raw'][:200]}"
            line = json.loads(event["_raw"])
            known = "cut" if line.get("alert_truncated") else line.get("strategy_name") or line["id"]
            at, fields, tags = (held.ALERTS if "strategy_name" in line else held.ITEMS)[known]
            if isinstance(at, str):
                at = calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000 + int(at[20:]) * 1_000_000
            fields = {name: wanted_host if value == "from-input" else value for name, value in fields.items()}
            yield f"{name}: {known}", event, at, {**fields, "host": wanted_host}, tags


def datasets(models):
    """Of each data model: what has to be tagged how, and the fields with what is asked of them."""
    for path in sorted(models.glob("*.json")):
        model = json.loads(path.read_text())

        def all_of(objects, above):
            for one in objects:
                own = [*above, *one["fields"]]
                yield f"{model['model_name']}.{one['name']}", [set(tags) for tags in one["tags"]], one.get("search_constraints", ""), own
                yield from all_of(one.get("child_dataset", []), own)

        yield from all_of(model["objects"], [])


def constrained(constraint, fields):
    """Children of a data model ask for values beyond their tags."""
    return "|" in constraint or searches.matches(constraint, fields)


def fits(name, fields, models):
    """Which datasets an event is of by its tags, and what it lacks there."""
    for dataset, tags, constraint, wanted in models:
        if not any(one <= set(fields["tag"]) for one in tags) or not constrained(constraint, fields):
            continue
        for field in wanted:
            value = fields.get(field["name"])
            place = f"{name}: {dataset} {field['name']}"
            needed = field["type"] == "required" or field["type"] == "conditional" and searches.matches(field["condition"], fields)
            assert value not in (None, "", []) or not needed, f"{place} is not there"
            if value is None:
                continue
            allowed = field.get("expected_values")
            assert not allowed or value in allowed, f"{place} is {value}, and none of {allowed}"
            # Some say in the language of searches what a value has to be like.
            if needed and "validity" in field and "unknown" != value:
                assert expressions.parse(field["validity"])(fields) is not None, f"{place} is {value}: {field['validity']}"
        yield dataset


def hold(addon, models):
    """How many events there were, the datasets they are of, and the fields they have."""
    count, seen, types, known = 0, set(), set(), set()
    for name, event, at, wanted, tags in events(addon):
        assert event["_time"] == at, f"{name}: the time is {event['_time']} and not {at}"
        fields = addon.fields(event)
        for field, value in wanted.items():
            assert fields.get(field) == value, f"{name}: {field} is {fields.get(field)!r} and not {value!r}"
        assert fields["tag"] == tags, f"{name}: the tags are {fields['tag']} and not {tags}"
        seen.update(fits(name, fields, models))
        types.update(fields["eventtype"])
        known.update(fields)
        count += 1
    assert types == set(addon.eventtypes), f"no line is of the types {set(addon.eventtypes) - types}"
    for name, given in addon.inputs.items():
        assert given["sourcetype"] in addon.props, f"[{name}] has a sourcetype that props.conf does not know"
    return count, seen, known


def queried(folder, addon, fields):
    """The dashboards ask for event types, sourcetypes and fields that there are."""
    for path in sorted((folder / "default/data/ui/views").glob("*.xml")):
        queries = [query.text for query in xml.parse(path).iter("query")]
        assert queries, f"{path.name}: it asks for nothing"
        for query in queries:
            for kind, known in (("eventtype", addon.eventtypes), ("sourcetype", addon.props)):
                unknown = set(re.findall(rf'{kind}="([^"]*)"', query)) - set(known)
                assert not unknown, f"{path.name}: {kind} {unknown}: {query}"
            lists = re.findall(r"\| table ([\w, ]+)| by ([\w, ]+)|\w+\((\w+)\) as", query)
            asked = {name.strip() for groups in lists for group in groups for name in group.split(",") if name.strip()}
            assert asked and asked <= fields, f"{path.name}: no event has {asked - fields}: {query}"


def settings(addon):
    for conf in ("props", "transforms", "eventtypes", "tags"):
        for stanza, values in getattr(addon, conf).items():
            for key in values:
                if key not in OF_NO_EFFECT_HERE:
                    yield conf, stanza, key


def main():
    folder = pathlib.Path(sys.argv[1])
    addon = splunk.AddOn(folder)
    models = list(datasets(pathlib.Path(sys.argv[2]))) if len(sys.argv) > 2 else []
    count, seen, known = hold(addon, models)
    queried(folder, addon, known)
    if models:
        missed = DATASETS - seen
        assert not missed, f"no event is of {missed}"
    print(f"splunk: {count} events are what they should be, of {', '.join(sorted(seen)) or 'no data model: none was given'}")
    needless, tried = [], 0
    for conf, stanza, key in list(settings(addon)):
        values = getattr(addon, conf)[stanza]
        order, tried = dict(values), tried + 1
        del values[key]
        try:
            hold(addon, [])
            needless.append(f"{conf}.conf [{stanza}] {key}")
        except (AssertionError, KeyError):
            pass
        values.clear()
        values.update(order)
    assert not needless, "nothing here needs these:\n  " + "\n  ".join(needless)
    print(f"splunk: each of {tried} settings is missed when it is left out")


main()

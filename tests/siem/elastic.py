#!/usr/bin/env python3
"""Holds the ingest pipeline for Central's items to what it has to make of them, and to the Elastic Common Schema.

    tests/siem/elastic.py [FIELDS...]

FIELDS are the schema's published fields, as setup/install.sh writes them. Each processor is left out once, which has to be noticed.
"""

import copy
import datetime
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "packaging/elastic"

WANTED = {
    "evt-000001": {
        "@timestamp": "2026-11-29T01:01:04.001+00:00", "event.kind": "event", "event.id": "evt-000001", "event.severity": 73,
        "event.code": "Event::Endpoint::Threat::Detected", "event.category": ["malware"], "event.type": ["info"],
        "event.module": "central", "event.dataset": "central.items", "event.provider": "sensor-siem", "ecs.version": "8.17.0",
        "message": "Linux/Example-A", "rule.name": "Linux/Example-A", "organization.id": "11111111-2222-4333-8444-555555555555",
        "host.id": "0000ab01-1111-4222-8333-000000000001", "host.name": "host-b", "host.hostname": "host-b", "host.ip": ["192.0.2.1"],
        "file.path": "/srv/share/a.bin", "user.name": "EXAMPLE\\user-b", "user.id": "5c0000000000000000000001",
        "observer.vendor": "Sophos", "observer.product": "Central", "related.hosts": ["host-b"], "related.user": ["EXAMPLE\\user-b"],
        "related.ip": ["192.0.2.1"], "process.pid": None,
    },
    "evt-000003": {"event.category": ["malware"], "event.type": ["info"], "event.severity": 47},
    "evt-000005": {"event.category": ["intrusion_detection"], "event.type": ["info"]},
    "evt-000011": {"event.severity": 21, "event.category": None, "rule.name": "Update succeeded"},
    "evt-000013": {"user.name": None, "related.user": None},
    "evt-000014": {"event.severity": 0, "event.category": ["host"], "event.type": ["info"]},
    "alr-000015": {
        "event.kind": "alert", "message": "Manual PUA cleanup required: 'PsExample' at 'C:\\Tools\\ps.exe'", "rule.name": "PsExample",
        "host.ip": ["192.0.2.15"],
    },
    "alr-000018": {"event.severity": 99},
    "alr-000019": {"event.severity": 99},
    "evt-000021": {"event.category": ["iam"], "event.type": ["user", "change"]},
    "evt-000022": {"@timestamp": "2026-11-29T01:22:00.500+00:00"},
    "019acf14-0001-4000-8000-000000000023": {
        "process.executable": "/usr/bin/wget", "process.command_line": "wget http://example.test/", "process.pid": 4001,
        "rule.name": "Unauthorized execution of wget",
    },
}


def get(document, path):
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def put(document, path, value):
    *above, last = path.split(".")
    for part in above:
        document = document.setdefault(part, {})
    document[last] = value


def holds(condition, document):
    """`ctx.a?.b == 'c'`, `!=`, null, &&: what the pipeline asks."""
    for part in condition.split(" && "):
        path, sign, value = re.fullmatch(r"ctx\.([\w?.]+) (==|!=) (null|'[^']*')", part).groups()
        is_it = get(document, path.replace("?", "")) == (None if value == "null" else value[1:-1])
        if is_it != (sign == "=="):
            return False
    return True


def filled(template, document):
    """A text with fields of the document in it, unescaped."""
    if not isinstance(template, str):
        return copy.deepcopy(template)
    return re.sub(r"\{\{\{\s*([\w.]+)\s*\}\}\}", lambda match: str(get(document, match[1])), template)


def run(pipeline, line):
    document = {"message": line, "@timestamp": "when it was read"}
    for processor in pipeline["processors"]:
        ((kind, options),) = processor.items()
        options = dict(options)
        condition = options.pop("if", None)
        if condition and not holds(condition, document):
            continue
        field = options.pop("field")
        if kind == "json":
            put(document, options.pop("target_field"), json.loads(get(document, field)))
        elif kind == "date":
            assert options.pop("formats") == ["ISO8601"]
            put(document, "@timestamp", datetime.datetime.fromisoformat(get(document, field)).isoformat(timespec="milliseconds"))
        elif kind == "set":
            value = get(document, options.pop("copy_from")) if "copy_from" in options else filled(options.pop("value"), document)
            leave_empty = options.pop("ignore_empty_value", False)
            if value not in (None, "") or not leave_empty:
                put(document, field, copy.deepcopy(value))
        elif kind == "append":
            assert options.pop("allow_duplicates") is False
            there, value = get(document, field) or [], filled(options.pop("value"), document)
            put(document, field, there if value in there else [*there, value])
        else:
            raise AssertionError(f"a processor that this does not know: {kind}")
        assert not options, f"{kind}: options that this does not know: {options}"
    return document


def leaves(document, above=""):
    for name, value in document.items():
        path = f"{above}{name}"
        if isinstance(value, dict):
            yield from leaves(value, path + ".")
        else:
            yield path, value


def hold(pipeline, schemas):
    files = ("sensor-siem/tests/golden/json.txt", "tests/siem/lines/items.json")
    lines = [line for path in files for line in (ROOT / path).read_text().splitlines()]
    for line in lines:
        item = json.loads(line)
        document = run(pipeline, line)
        place = item["id"]
        assert document["central"] == item, f"{place}: the item is not whole"
        assert document["event"]["original"] == line, f"{place}: the line is not kept"
        for path, value in WANTED.get(place, {}).items():
            assert get(document, path) == value, f"{place}: {path} is {get(document, path)!r} and not {value!r}"
        for schema in schemas:
            for path, value in leaves({name: value for name, value in document.items() if name != "central"}):
                known = schema.get(path)
                assert known, f"{place}: {path} is no field of the schema"
                assert known["list"] == isinstance(value, list), f"{place}: {path}: {value!r}"
                for one in value if isinstance(value, list) else [value]:
                    assert not known.get("values") or one in known["values"], f"{place}: {path} is {one}"
                    assert isinstance(one, int) == (known["type"] in ("long", "integer")), f"{place}: {path}: {one!r}"
    return len(lines)


def main():
    pipeline = json.loads((FOLDER / "central-pipeline.json").read_text())
    template = json.loads((FOLDER / "index-template.json").read_text())
    assert set(template["template"]["mappings"]["properties"]) == {"sensor", "central", "event"}
    schemas = [json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:]]
    count = hold(pipeline, schemas)
    print(f"elastic: {count} items are what they should be, in {len(schemas)} versions of the schema")
    for number, processor in enumerate(pipeline["processors"]):
        less = {"processors": [one for at, one in enumerate(pipeline["processors"]) if at != number]}
        try:
            hold(less, [])
        except (AssertionError, KeyError, TypeError):
            continue
        raise AssertionError(f"nothing here needs this: {processor}")
    print(f"elastic: each of {len(pipeline['processors'])} processors is missed when it is left out")


main()

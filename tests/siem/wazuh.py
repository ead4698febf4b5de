#!/usr/bin/env python3
"""Holds the rules for Wazuh to what they have to make of lines.

    tests/siem/wazuh.py

Each condition is left out once, which has to be noticed.
"""

import copy
import json
import pathlib
import re
import xml.etree.ElementTree as xml

import pcre

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Names that Wazuh keeps for fields of its own: a rule asks for them in another way.
STATIC = set(
    "srcip dstip srcport dstport protocol action id url data extra_data status user srcuser dstuser system_name program_name "
    "hostname location".split()
)

# By the name of the policy or the item's id: the rule, its level.
WANTED = {
    "Download": (110503, 12),
    "Long Command": (110502, 8),
    "Account Made": (110501, 5),
    "Login Failed": (110500, 3),
    "Records lost": (110510, 13),
    "cut": (110503, 12),
    "evt-000001": (110602, 10),
    "evt-000003": (110601, 5),
    "evt-000004": (110611, 13),
    "evt-000007": (110611, 13),
    "evt-000011": (110600, 3),
    "alr-000018": (110603, 12),
    "alr-000019": (110603, 12),
    "evt-000021": (110610, 8),
}
UUID = "019acf14-0001-7000-8000-000000000000"
# What is of somebody else.
FOREIGN = [
    {"strategy_name": "x", "uuid": "1", "scope": "Node"},
    {"strategy_name": "x", "uuid": UUID, "scope": "else"},
    {"strategy_name": "", "uuid": UUID, "scope": "Node"},
    {"datastream": "metric", "customer_id": "11111111-2222-4333-8444-555555555555"},
    {"datastream": "event", "customer_id": "acme"},
    {"datastream": "event", "type": "Event::Endpoint::Account::Changed", "severity": "high"},
]


def fields(value, above=""):
    """As the JSON decoder names them; lists of objects it leaves out."""
    for name, one in value.items():
        if isinstance(one, dict):
            yield from fields(one, f"{above}{name}.")
        elif isinstance(one, list):
            if not any(isinstance(part, (dict, list)) for part in one):
                yield f"{above}{name}", json.dumps(one)
        else:
            yield f"{above}{name}", one if isinstance(one, str) else json.dumps(one)


def applies(rule, known):
    for field in rule.findall("field"):
        assert field.get("type") == "pcre2" and field.get("name") not in STATIC, field.attrib
        if field.get("name") not in known or not pcre.search(field.text, known[field.get("name")]):
            return False
    return True


def decide(rules, known):
    """The rule that is told: of those that apply, the first of the highest level, and so on below it."""
    rule, below = None, [rule for rule in rules if rule.find("if_sid") is None]
    while below:
        below.sort(key=lambda one: -int(one.get("level")))
        found = next((one for one in below if applies(one, known)), None)
        if found is None:
            break
        rule, below = found, [one for one in rules if one.findtext("if_sid") == found.get("id")]
    return rule


def hold(rules):
    lines = []
    for path in ("tests/siem/lines/alerts.json", "sensor-siem/tests/golden/json.txt", "tests/siem/lines/items.json"):
        lines += (ROOT / path).read_text().splitlines()
    seen = set()
    for line in lines:
        given = json.loads(line)
        name = "cut" if "alert_truncated" in given else given.get("strategy_name") or given["id"]
        known = dict(fields(given))
        rule = decide(rules, known)
        assert rule is not None, f"{name}: no rule"
        told = int(rule.get("id")), int(rule.get("level"))
        assert WANTED.get(name, told) == told, f"{name}: {told} and not {WANTED[name]}"
        missing = [part for part in re.findall(r"\$\(([\w.]+)\)", rule.findtext("description")) if part not in known]
        assert not missing or name == "cut", f"{name}: the description asks for {missing}"
        seen.add(told[0])
    for given in FOREIGN:
        assert decide(rules, dict(fields(given))) is None, f"a rule takes {given}"
    missed = {int(rule.get("id")) for rule in rules} - seen
    assert not missed, f"no line comes to {missed}"
    return len(lines)


def main():
    # A file of rules is several elements.
    rules = list(xml.fromstring(f"<all>{(ROOT / 'packaging/wazuh/sensor_rules.xml').read_text()}</all>").iter("rule"))
    xml.parse(ROOT / "packaging/wazuh/agent.xml")
    ids = [int(rule.get("id")) for rule in rules]
    assert len(set(ids)) == len(ids) and all(100_000 <= one <= 120_000 for one in ids), ids
    before = set()
    for rule in rules:
        parent = rule.findtext("if_sid")
        assert parent is None or parent in before, f"{rule.get('id')}: what it goes on from has to be loaded before it"
        assert parent is not None or rule.findtext("decoded_as") == "json", rule.get("id")
        before.add(rule.get("id"))
    print(f"wazuh: {hold(rules)} lines come to the rule that they should")
    tried = 0
    for at, rule in enumerate(rules):
        for number in range(len(rule.findall("field"))):
            less = [copy.deepcopy(one) if one is rule else one for one in rules]
            less[at].remove(less[at].findall("field")[number])
            tried += 1
            try:
                hold(less)
            except AssertionError:
                continue
            raise AssertionError(f"nothing here needs condition {number + 1} of rule {rule.get('id')}")
    print(f"wazuh: each of {tried} conditions is missed when it is left out")


main()

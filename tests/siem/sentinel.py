#!/usr/bin/env python3
"""Holds the queries for Sentinel to what they have to make of CEF lines, by running them over a table as Sentinel has it.

    tests/siem/sentinel.py

The table, CommonSecurityLog, is made of the lines by Microsoft's table of names; the queries are run by duckdb-kql.
"""

import pathlib
import re

import duckdb
import duckdb_kql

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The names of the keys of CEF in the table, those that are written here. What has none goes to AdditionalExtensions.
COLUMNS = {
    "act": "DeviceAction", "c6a2": "DeviceCustomIPv6Address2", "cat": "DeviceEventCategory", "cn1": "FieldDeviceCustomNumber1",
    "cn1Label": "DeviceCustomNumber1Label", "cn2": "FieldDeviceCustomNumber2", "cn2Label": "DeviceCustomNumber2Label",
    "cn3": "FieldDeviceCustomNumber3", "cn3Label": "DeviceCustomNumber3Label", "deviceExternalId": "DeviceExternalID",
    "dhost": "DestinationHostName", "dpid": "DestinationProcessId", "dproc": "DestinationProcessName", "duid": "DestinationUserID",
    "duser": "DestinationUserName", "dvchost": "DeviceName", "end": "EndTime", "externalId": "ExtID", "filePath": "FilePath",
    "flexString1": "FlexString1", "flexString1Label": "FlexString1Label", "flexString2": "FlexString2",
    "flexString2Label": "FlexString2Label", "fname": "FileName", "msg": "Message", "outcome": "EventOutcome", "reason": "Reason",
    "rt": "ReceiptTime", "shost": "SourceHostName", "spid": "SourceProcessId", "sproc": "SourceProcessName", "src": "SourceIP",
    "suid": "SourceUserID", "suser": "SourceUserName",
    **{f"cs{at}": f"DeviceCustomString{at}" for at in range(1, 7)},
    **{f"cs{at}Label": f"DeviceCustomString{at}Label" for at in range(1, 7)},
}
HEAD = ["DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Activity", "LogSeverity"]

# By the policy's name, or the item's id.
ALERTS = {
    "Download": {
        "PolicyType": "program", "Priority": "High", "Host": "host.example.test", "Container": "4f6e1c0d2b3a", "User": "alice",
        "UserId": "1000", "Program": "/usr/bin/wget", "ProgramPid": "4001", "CommandLine": 'wget http://example.test/?a="b" ü',
        "Parent": "/usr/bin/bash", "ParentUser": "alice", "Lineage": "/usr/bin/bash", "Outcome": "success", "Confidence": "High",
        "Kind": "PROCESS_EVENT_TYPE_EXEC", "Rule": "match uid == 0", "Time": "2026-11-29 08:00:00.250",
        "AlertId": "019acf14-0001-7000-8000-000000000000", "IncidentId": "019acf14-0001-7000-8000-000000000000",
    },
    "Long Command": {"Priority": "Medium", "Time": "2026-11-29 08:00:01.250"},
    "Account Made": {"Priority": "Low", "User": "mallory", "Kind": "ADD_USER", "Outcome": "success"},
    "Account Locked": {"Outcome": "failure", "SourceIP": "203.0.113.7"},
    "Group Deleted": {"Group": "wheel"},
    "Login Failed": {"Priority": "Info"},
    "Module Loaded": {"Object": "dummy"},
}
ITEMS = {
    "evt-000001": {
        "Time": "2026-11-29 01:01:04.001", "Stream": "event", "ItemType": "Event::Endpoint::Threat::Detected", "Name": "Linux/Example-A",
        "Severity": "high", "Group": "MALWARE", "Host": "host-b", "Address": "192.0.2.1",
        "EndpointId": "0000ab01-1111-4222-8333-000000000001", "TenantId": "11111111-2222-4333-8444-555555555555",
        "User": "EXAMPLE\\user-b", "UserId": "5c0000000000000000000001", "Detection": "Linux/Example-A", "FilePath": "/srv/share/a.bin",
    },
    "evt-000003": {"Severity": "medium"},
    "evt-000011": {"Severity": "low"},
    "evt-000013": {"User": ""},
    "evt-000014": {"Severity": "none"},
    "alr-000015": {"Stream": "alert", "Address": "192.0.2.15", "EndpointId": "0000ab15-1111-4222-8333-000000000015"},
    "alr-000019": {"Severity": "critical"},
}


def row(line):
    """A line of CEF as a row of the table."""
    parts = re.match(r"CEF:0\|((?:(?:[^\\|]|\\.)*\|){6})(.*)", line, re.S)
    head = [re.sub(r"\\([\\|])", r"\1", part) for part in re.findall(r"((?:[^\\|]|\\.)*)\|", parts[1])]
    found, more = dict(zip(HEAD, head)), []
    # A value goes as far as the next key.
    keys = list(re.finditer(r"(?:^| )([A-Za-z_][\w.-]*)=", parts[2]))
    for key, behind in zip(keys, [*keys[1:], None]):
        value = parts[2][key.end() : behind.start() if behind else None]
        value = re.sub(r"\\(.)", lambda match: {"n": "\n", "r": "\r"}.get(match[1], match[1]), value)
        if key[1] in COLUMNS:
            found[COLUMNS[key[1]]] = value
        else:
            more.append(f"{key[1]}={value}")
    return {**found, "AdditionalExtensions": ";".join(more), "TimeGenerated": "2026-11-29T12:00:00Z"}


def run(name, table):
    query = (ROOT / f"packaging/sentinel/{name}.kql").read_text()
    result = table.execute(str(duckdb_kql.to_sql(query)))
    names = [column[0] for column in result.description]
    return [dict(zip(names, values)) for values in result.fetchall()]


def main():
    files = ("tests/siem/lines/alerts.cef", "sensor-siem/tests/golden/cef.txt")
    cef = [line for path in files for line in (ROOT / path).read_text().splitlines()]
    rows = [row(line) for line in cef]
    columns = sorted({"TimeGenerated", "AdditionalExtensions", *HEAD, *COLUMNS.values()})
    table = duckdb.connect()
    table.execute(f"CREATE TABLE CommonSecurityLog ({', '.join(f'{name} VARCHAR' for name in columns)})")
    insert = f"INSERT INTO CommonSecurityLog VALUES ({', '.join('?' for _ in columns)})"
    table.executemany(insert, [[one.get(name, "") for name in columns] for one in rows])
    count = 0
    for name, key, wanted in (("SensorAlerts", "Policy", ALERTS), ("CentralItems", "ItemId", ITEMS)):
        found = run(name, table)
        count += len(found)
        for place, fields in wanted.items():
            told = next((one for one in found if one[key] == place), None)
            assert told, f"{name} has no {place}"
            for field, value in fields.items():
                is_it = str(told[field])[:23] if field == "Time" else told[field]
                assert is_it == value, f"{name}: {place}: {field} is {is_it!r} and not {value!r}"
        unheld = set(found[0]) - {field for fields in wanted.values() for field in fields} - {key, "TimeGenerated", "Scope", "Message"}
        assert not unheld, f"{name}: nothing here holds {unheld}"
    assert count == len(cef), f"{count} rows of {len(cef)} lines"
    print(f"sentinel: {count} lines of CEF are what they should be")


main()

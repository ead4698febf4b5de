"""What the add-on has to make of lines, each with the input that it comes by."""

import json

TECHNIQUES = ["T1059.004", "T1105"]
ALERT = {"app": "sophoslinuxsensor", "vendor_product": "sophoslinuxsensor", "type": "alert", "sourcetype": "sensor:alert"}
ITEM = {"app": "Sophos Central", "vendor_product": "Sophos Central", "sourcetype": "sensor:central"}
DEST = {"dest": "host.example.test", "dvc": "host.example.test"}
SHELL = {
    "parent_process_id": "4000",
    "parent_process_path": "/usr/bin/bash",
    "parent_process_name": "bash",
    "parent_process_exec": "bash",
    "parent_process": 'bash -c x \\"y\\"',
}

# By the name of the policy: when, the fields, the tags.
ALERTS = {
    "Download": (
        1795939200_250000000,
        {
            **ALERT, **DEST, **SHELL, "src": "host.example.test", "id": "019acf14-0001-7000-8000-000000000000", "signature": "Download",
            "signature_id": "Download", "severity": "high", "description": "What Download says of itself.", "user": "alice",
            "user_id": "1000", "src_user": "alice", "mitre_technique_id": TECHNIQUES,
            "subject": "Program /usr/bin/wget violated policy Download", "action": "allowed", "os": "Debian GNU/Linux",
            "process": 'wget http://example.test/?a="b" ü', "process_id": "4001", "process_path": "/usr/bin/wget",
            "process_name": "wget", "process_exec": "wget", "process_current_directory": "/srv",
            "command": 'wget http://example.test/?a="b" ü',
        },
        ["alert", "process", "report"],
    ),
    # What stands behind the first 5000 bytes.
    "Long Command": (
        1795939201_250000001,
        {
            **ALERT, **DEST, **SHELL, "severity": "medium", "process_name": "python3.11", "user": "alice", "user_id": "1000",
            "process_guid": "00000000-0003-8e84-8000-000000000000", "process_current_directory": "/srv",
        },
        ["alert", "process", "report"],
    ),
    "Account Made": (
        1795939202_250000002,
        {
            **ALERT, **DEST, "severity": "low", "user": "mallory", "src_user": "root", "action": "created", "change_type": "AAA",
            "object": "mallory", "object_id": "1001", "object_category": "user", "object_attrs": "add-user", "status": "success",
            "result": "success", "command": "useradd -m mallory", "src": "host.example.test",
        },
        ["account", "alert", "change"],
    ),
    "Account Locked": (
        1795939203_250000003,
        {
            **ALERT, **DEST, "user": "bob", "action": "modified", "object": "bob", "object_id": "1002", "object_category": "user",
            "status": "failure", "result": "lockout", "src": "203.0.113.7",
        },
        ["account", "alert", "change"],
    ),
    "Group Deleted": (
        1795939204_250000004,
        {
            **ALERT, **DEST, "user": "root", "src_user": "root", "action": "deleted", "object": "wheel", "object_id": "10",
            "object_category": "group", "object_attrs": "delete-group wheel", "status": "success",
        },
        ["alert", "change"],
    ),
    "Group Joined": (
        1795939205_250000005,
        {
            **ALERT, **DEST, "user": "bob", "src_user": "root", "action": "modified", "object": "bob", "object_category": "user",
            "object_attrs": "add-user-to-group wheel", "status": "success",
        },
        ["account", "alert", "change"],
    ),
    # No change.
    "Login Failed": (
        1795939206_250000006,
        {**ALERT, **DEST, "severity": "informational", "user": "root", "src": "203.0.113.7", "action": None, "object_category": None},
        ["alert"],
    ),
    "Module Loaded": (
        1795939207_250000007,
        {
            **ALERT, **DEST, "user": "root", "action": "started", "change_type": "kernel", "object": "dummy", "object_id": "dummy",
            "object_category": "kernel_module", "object_attrs": "taints=8192", "status": "success", "command": "insmod dummy.ko",
        },
        ["alert", "change", "endpoint"],
    ),
    "BPF Program Loaded": (
        1795939208_250000008,
        {
            **ALERT, **DEST, "user": "root", "action": "started", "change_type": "kernel", "object": "watch", "object_id": "77",
            "object_category": "bpf_program", "object_attrs": "type=lsm", "status": "success",
        },
        ["alert", "change", "endpoint"],
    ),
    "Root Taken": (1795939209_250000009, {**ALERT, **DEST, "user": "alice", "action": None, "object": None}, ["alert"]),
    "Records lost": (1795939210_250000010, {**ALERT, **DEST, "user": "unknown", "severity": "medium"}, ["alert"]),
    # The shortest form has no host and no user.
    "cut": (
        1795939200_250000000,
        {**ALERT, "dest": "from-input", "signature": "Download", "description": "Download", "user": "unknown", "severity": "high"},
        ["alert"],
    ),
}

MALWARE = ["attack", "malware"]
# By id.
ITEMS = {
    "evt-000001": (
        "2026-11-29T01:01:04.001",
        {
            **ITEM, "type": "event", "item_type": "Event::Endpoint::Threat::Detected", "signature": "Linux/Example-A",
            "signature_id": "Event::Endpoint::Threat::Detected", "severity": "high", "vendor_severity": "high", "dest": "host-b",
            "dvc": "host-b", "src": "192.0.2.1", "user": "EXAMPLE\\user-b", "user_id": "5c0000000000000000000001",
            "src_user": "5c0000000000000000000001", "action": "deferred", "category": "malware", "file_path": "/srv/share/a.bin",
            "file_name": "a.bin",
        },
        MALWARE,
    ),
    "evt-000002": (
        "2026-11-29T01:02:04.002",
        {**ITEM, "action": "blocked", "file_name": "b.exe", "file_path": "C:\\Users\\user-b\\Downloads\\b.exe", "severity": "low"},
        MALWARE,
    ),
    "evt-000003": ("2026-11-29T01:03:04.003", {"action": "deferred", "category": "pua", "signature": "Example Tool"}, MALWARE),
    "evt-000004": ("2026-11-29T01:04:04.004", {"action": "allowed", "file_name": "ps.exe"}, MALWARE),
    "evt-000005": ("2026-11-29T01:05:04.005", {"action": "deferred", "category": "runtime_detections"}, MALWARE),
    "evt-000006": ("2026-11-29T01:06:04.006", {"action": "allowed"}, MALWARE),
    "evt-000007": ("2026-11-29T01:07:04.007", {"action": "allowed", "signature": "Troj/Example-C"}, MALWARE),
    "evt-000008": ("2026-11-29T01:08:04.008", {"action": "allowed", "file_name": "curl"}, MALWARE),
    # Its path is in what was done about it.
    "evt-000009": ("2026-11-29T01:09:04.009", {"action": "blocked", "file_path": "/home/user-j/e.sh", "file_name": "e.sh"}, MALWARE),
    "evt-000010": ("2026-11-29T01:10:04.010", {"action": "Allow", "type": "event", "file_name": "list.txt"}, []),
    "evt-000011": ("2026-11-29T01:11:04.011", {"severity": "low", "description": "Update succeeded"}, []),
    "evt-000012": ("2026-11-29T01:12:04.012", {"severity": "low"}, []),
    "evt-000013": ("2026-11-29T01:13:04.013", {"severity": "medium", "user": "unknown"}, []),
    "evt-000014": (
        "2026-11-29T01:14:04.014",
        {
            "severity": "informational", "action": "created", "change_type": "endpoint", "object_category": "endpoint",
            "object": "j-rg-s-rechner.example.org", "object_id": "0000ab14-1111-4222-8333-000000000014",
            "object_attrs": "registration", "status": "success", "user": "EXAMPLE\\jörg",
            "command": "New server registered: Jörg’s Rechner.example.org",
        },
        ["change", "endpoint"],
    ),
    "alr-000015": (
        "2026-11-29T01:15:34.875",
        {
            **ITEM, "type": "alert", "signature": "PsExample", "severity": "medium", "dest": "host-p", "src": "192.0.2.15",
            "description": "Manual PUA cleanup required: 'PsExample' at 'C:\\Tools\\ps.exe'",
        },
        ["alert"],
    ),
    "alr-000016": ("2026-11-29T01:16:34.875", {"type": "alert", "severity": "high"}, ["alert"]),
    "alr-000017": ("2026-11-29T01:17:34.875", {"signature": "Failed to protect server: host-r"}, ["alert"]),
    "alr-000018": ("2026-11-29T01:18:34.875", {"severity": "critical", "vendor_severity": "critical"}, ["alert"]),
    "alr-000019": ("2026-11-29T01:19:34.875", {"severity": "critical", "vendor_severity": "very_high"}, ["alert"]),
    "alr-000020": ("2026-11-29T01:20:34.875", {"src": "192.0.2.20", "user": "EXAMPLE\\user-u"}, ["alert"]),
    "evt-000021": (
        "2026-11-29T01:21:04.021",
        {
            **ITEM, "action": "created", "change_type": "AAA", "object": "mallory", "object_id": "mallory", "object_category": "user",
            "command": "/usr/sbin/useradd", "status": "success", "result": "success", "user": "mallory", "src_user": "0",
        },
        ["account", "change"],
    ),
    # It has no time of arrival.
    "evt-000022": (
        "2026-11-29T01:22:00.500",
        {"action": "deleted", "object": "bob", "status": "failure", "result": "failed", "src": "host-w"},
        ["account", "change"],
    ),
    "evt-000024": ("2026-11-29T01:24:00.500", {"action": "modified", "object": "bob", "status": "success"}, ["account", "change"]),
    "019acf14-0001-4000-8000-000000000023": ("2026-11-29T01:23:04.023", {**ITEM, "type": "alert", "user": "alice"}, ["alert"]),
}


def inputs(root):
    """What each input reads: a name, the sourcetype, the host of the input, and the text; with the host that events get."""
    lines = root / "tests/siem/lines"
    golden = root / "sensor-siem/tests/golden"
    alerts = (lines / "alerts.json").read_text()
    items = (golden / "json.txt").read_text().rstrip("\n") + "\n" + (lines / "items.json").read_text()
    yield "alerts in a file", "sensor:alert", "from-input", alerts, "from-input"
    # With arguments as long as an alert can be.
    longest = next(line for line in alerts.splitlines() if "Long Command" in line).replace("xxxx", "x" * 112)
    assert 250_000 < len(longest) < 262_144, len(longest)
    yield "the longest alert", "sensor:alert", "from-input", longest, "from-input"
    yield "items in a file", "sensor:central", "from-input", items, "from-input"

    def behind(headers, text):
        return "".join(headers[at % len(headers)] + line + "\n" for at, line in enumerate(text.splitlines()))

    # As the sensor and sensor-siem write them, and as rsyslog writes them into files.
    of_alerts = [
        "<130>1 2023-11-14T23:20:01.500000Z there.test sophoslinuxsensor 812 alert - ",
        "<130>Nov 14 23:20:01 there.test sophoslinuxsensor[812]: ",
        "2026-11-29T09:15:38.123456+01:00 there.test sophoslinuxsensor[812]: ",
        "Nov  4 23:20:01 there.test sophoslinuxsensor[812]: ",
    ]
    yield "alerts by syslog", "sensor:alert:syslog", "from-input", behind(of_alerts, alerts), "there.test"
    of_device = ["<130>Nov  4 23:20:01 sophoslinuxsensor[812]: "]
    yield "alerts of /dev/log", "sensor:alert:syslog", "from-input", behind(of_device, alerts), "from-input"
    of_items = [
        "<30>1 2026-11-29T01:01:04.001Z there.test sensor-siem 812 event - ",
        "<30>1 - there.test sensor-siem 812 alert - ",
        "<30>Nov 29 01:01:04 there.test sensor-siem[812]: ",
    ]
    yield "items by syslog", "sensor:central:syslog", "from-input", behind(of_items, items), "there.test"
    bare = (json.loads(line) for line in (golden / "syslog_udp.json.jsonl").read_text().splitlines())
    yield "items behind a priority", "sensor:central:syslog", "from-input", "".join(line + "\n" for line in bare), "from-input"

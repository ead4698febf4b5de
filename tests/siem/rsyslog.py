#!/usr/bin/env python3
"""Has rsyslog, with the settings for Sentinel's collector, take lines of CEF over TLS as the sensor sends them.

    tests/siem/rsyslog.py

Paths and the port are the test's own. What the agent would be handed is written to a file instead.
"""

import pathlib
import socket
import ssl
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until(what, ready):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := ready():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not come about within {PATIENCE} s")


def connected(port, context):
    try:
        return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE), server_hostname="localhost")
    except (ConnectionRefusedError, ConnectionResetError):
        return None


def main():
    files = ("tests/siem/lines/alerts.cef", "sensor-siem/tests/golden/cef.txt")
    cef = [line for path in files for line in (ROOT / path).read_text().splitlines()]
    # Longer than what rsyslog takes by itself.
    cef.append(cef[0] + "x" * 20_000)
    with tempfile.TemporaryDirectory() as folder:
        work, port = pathlib.Path(folder), free_port()
        subprocess.run(
            ["openssl", *"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem".split()],
            cwd=work, check=True, capture_output=True,
        )
        (work / "ca.pem").write_text((work / "cert.pem").read_text())
        given = (ROOT / "packaging/sentinel/rsyslog.conf").read_text()
        conf = given.replace("/etc/rsyslog.d/", f"{work}/").replace('port="6514"', f'port="{port}" address="127.0.0.1"')
        assert conf.count(str(work)) >= 3 and str(port) in conf, conf
        got = work / "got"
        shape = "%syslogfacility-text%.%syslogseverity-text% %hostname% %programname%%msg%\\n"
        conf += f'\ntemplate(name="whole" type="string" string="{shape}")\naction(type="omfile" file="{got}" template="whole")\n'
        (work / "conf").write_text(conf)
        checked = subprocess.run(["rsyslogd", "-N1", "-f", work / "conf"], capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
        daemon = subprocess.Popen(["rsyslogd", "-n", "-f", work / "conf", "-i", work / "pid"], stderr=subprocess.PIPE)
        try:
            context = ssl.create_default_context(cafile=work / "ca.pem")
            stream = until("rsyslog", lambda: connected(port, context))
            for line in cef:
                message = f"<162>1 2026-11-29T08:00:00.250000Z host.example.test sophoslinuxsensor 812 alert - {line}".encode()
                stream.sendall(b"%d %s" % (len(message), message))
            wanted = [f"local4.crit host.example.test sophoslinuxsensor{line}" for line in cef]
            until("all lines", lambda: got.exists() and got.read_text().count("\n") >= len(wanted))
            told = got.read_text().splitlines()
            assert told == wanted, next((one, other) for one, other in zip(told, wanted) if one != other)
            stream.close()
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE)
    print(f"rsyslog: {len(cef)} lines of CEF came over TLS as they were sent")


main()

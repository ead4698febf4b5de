#!/bin/sh
# Runs the sensor in the foreground with the demonstration configuration, and has it check itself once it is up.
#
# The program is taken from BIN_DIR (target/release), detections from CONTENT (the shipped ones).
set -eu
cd "$(dirname "$0")/.."
sensor=${BIN_DIR:-target/release}/sophoslinuxsensor
content=${CONTENT:-etc/content/runtimedetections-content.yaml}
. setup/together.sh

start "$sensor" -config etc/demo.yaml -content "$content" -run-dir "$place/run" -state-dir "$place/state"
running=$!

while kill -0 "$running" 2>/dev/null && [ ! -S "$place/run/sophoslinuxsensor.sock" ]; do sleep 0.1; done
if kill -0 "$running" 2>/dev/null; then
    echo "Self check:" >&2
    # In the background, so that a signal is heard at once.
    start "$sensor" -test-alert -run-dir "$place/run"
    wait "$!" &&
        echo "Alerts follow as programs run. Try, in another terminal: cp /bin/true /dev/shm/x && /dev/shm/x. Ctrl-C ends." >&2
fi
while_read "$running"
kill -0 "$running" 2>/dev/null || wait "$running"

#!/bin/sh
# Runs the sensor in the foreground with the demonstration configuration, and has it check itself once it is up.
set -eu
cd "$(dirname "$0")/.."
sensor=target/release/sophoslinuxsensor
place=$(mktemp -d /tmp/sophoslinuxsensor-demo.XXXXXX)
trap 'rm -rf "$place"' EXIT

# Ctrl-C reaches the whole foreground group: the sensor ends by itself, and this waits for it.
trap : INT TERM
"$sensor" -config etc/demo.yaml -content etc/content/runtimedetections-content.yaml \
    -run-dir "$place/run" -state-dir "$place/state" &
pid=$!

for _ in $(seq 100); do
    [ -S "$place/run/sophoslinuxsensor.sock" ] && break
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.1
done
if kill -0 "$pid" 2>/dev/null; then
    echo "Self check:" >&2
    "$sensor" -test-alert -run-dir "$place/run" &&
        echo "Alerts follow as programs run. Try, in another terminal: cp /bin/true /dev/shm/x && /dev/shm/x. Ctrl-C ends." >&2
fi
# A signal ends the first wait early, with the sensor still on its way out.
while kill -0 "$pid" 2>/dev/null; do wait "$pid" || true; done
wait "$pid"

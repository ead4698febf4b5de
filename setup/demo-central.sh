#!/bin/sh
# Runs Central and a sensor that delivers to it, and shows the alerts as they arrive there. Ctrl-C ends both.
#
#   setup/demo-central.sh          until Ctrl-C
#   setup/demo-central.sh --once   until the alert of the self check has arrived
#
# Programs are taken from BIN_DIR (target/release), detections from CONTENT (the shipped ones).
set -eu
cd "$(dirname "$0")/.."
bin=${BIN_DIR:-target/release}
content=${CONTENT:-etc/content/runtimedetections-content.yaml}
. setup/together.sh

fail() {
    echo "$1" >&2
    cat "$place"/*.log >&2
    exit 1
}

# Waits for the command to succeed, or for the process to end.
until_done() { # pid, what, command...
    pid=$1 what=$2
    shift 2
    until "$@"; do
        kill -0 "$pid" 2>/dev/null || fail "$what"
        sleep 0.1
    done
}

# Central makes a CA, a revocation list, a certificate and a token, and prints the sensor's configuration for them.
start "$bin/sensor-central" dev --dir "$place/central" --listen 127.0.0.1:0 >"$place/config.yaml" 2>"$place/central.log"
central=$!
until_done "$central" "Central did not start" grep -q '^# ---' "$place/config.yaml"
chmod 600 "$place/config.yaml"
echo "Central listens on $(sed -n 's/^# listening on //p' "$place/config.yaml")"

start "$bin/sophoslinuxsensor" -config "$place/config.yaml" -content "$content" \
    -run-dir "$place/run" -state-dir "$place/state" 2>"$place/sensor.log"
sensor=$!
until_done "$sensor" "The sensor did not start" test -S "$place/run/sophoslinuxsensor.sock"
echo "The sensor runs, and checks itself:"
start "$bin/sophoslinuxsensor" -test-alert -run-dir "$place/run"
wait "$!" || fail "The self check failed"

alerts() { "$bin/sensor-central" detections --data-dir "$place/central" --limit 1000000; }
echo "Alerts at Central:"
alerts >"$place/shown"
cat "$place/shown"
[ "${1:-}" != --once ] || exit 0

echo "More follow as programs run. Try, in another terminal: cp /bin/true /dev/shm/x && /dev/shm/x. Ctrl-C ends." >&2
start tail -f --sleep-interval=0.2 --pid="$sensor" /dev/null
reader=$!
while kill -0 "$reader" 2>/dev/null && kill -0 "$central" 2>/dev/null; do
    sleep 1
    alerts >"$place/now"
    # It fails if nobody reads any more, and that is all.
    tail -n "+$(($(wc -l <"$place/shown") + 1))" "$place/now" || exit 0
    mv "$place/now" "$place/shown"
done
# Nobody reads any more, and that is all.
kill -0 "$sensor" 2>/dev/null && kill -0 "$central" 2>/dev/null && exit 0
fail "One of them ended by itself"

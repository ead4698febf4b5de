#!/bin/sh
# Runs Central, a sensor that delivers to it, and sensor-siem, which hands on what Central has to a file; shows the alerts as
# they arrive at Central and in the file. Ctrl-C ends all of them.
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

items=$place/siem/items.json
address=$(sed -n 's/^# listening on //p' "$place/config.yaml")
cat >"$place/siem.yaml" <<END
central:
  client_id: $(cat "$place/central/client_id")
  client_secret_file: $place/central/client_secret
  auth_url: $address/api/v2/oauth2/token
  api_host: $address
  ca_file: $place/central/sophosca1.crt
poll: 2s
state: $place/siem/state.jsonl
outputs:
  - {type: file, path: $items}
END
start "$bin/sensor-siem" -c "$place/siem.yaml" run 2>"$place/siem.log"
siem=$!

# Whole lines of the file.
lines() { wc -l 2>/dev/null <"$items" || echo 0; }
# Those that are not shown yet.
show_lines() {
    now=$(lines)
    sed -n "$((lines_shown + 1)),${now}p" "$items" || return 1
    lines_shown=$now
}
lines_shown=0
# The list of Central's has a heading.
has_all() { [ "$(lines)" -ge "$(($(wc -l <"$place/shown") - 1))" ]; }
until_done "$siem" "sensor-siem did not read them" has_all
echo "Lines in the file of sensor-siem:"
show_lines
[ "${1:-}" != --once ] || exit 0

echo "More follow as programs run. Try, in another terminal: cp /bin/true /dev/shm/x && /dev/shm/x. Ctrl-C ends." >&2
start tail -f --sleep-interval=0.2 --pid="$sensor" /dev/null
reader=$!
while kill -0 "$reader" 2>/dev/null && kill -0 "$central" 2>/dev/null && kill -0 "$siem" 2>/dev/null; do
    sleep 1
    alerts >"$place/now"
    # It fails if nobody reads any more, and that is all.
    tail -n "+$(($(wc -l <"$place/shown") + 1))" "$place/now" || exit 0
    mv "$place/now" "$place/shown"
    show_lines || exit 0
done
# Nobody reads any more, and that is all.
kill -0 "$sensor" 2>/dev/null && kill -0 "$central" 2>/dev/null && kill -0 "$siem" 2>/dev/null && exit 0
fail "One of them ended by itself"

# Sourced by the demonstrations: whatever ends one of them (Ctrl-C, a terminal that is closed, a signal, a reader that goes
# away), nothing that it started runs on, and its folder goes.
#
#   $place            the folder
#   start COMMAND     runs it in the background; its pid is $!, as ever
#   while_read PID    waits until that process ends, or nobody reads standard output any more
# shellcheck shell=sh

place=$(mktemp -d "${TMPDIR:-/tmp}/sensor-demo.XXXXXX")
started=''

# Everyone here has the pipe open for writing. When the last of them is gone, even by SIGKILL, its reader sees the end, and
# takes the folder away. It has a session of its own: no signal of the terminal reaches it.
mkfifo "$place/held"
exec 9<>"$place/held"
# shellcheck disable=SC2016
setsid sh -c 'cat >/dev/null; rm -rf "$0"' "$place" <"$place/held" 9>&- >/dev/null 2>&1 &
cleaner=$!

finish() {
    status=$?
    trap '' HUP INT QUIT TERM PIPE
    for pid in $started; do kill "$pid" 2>/dev/null || true; done
    for pid in $started; do wait "$pid" 2>/dev/null || true; done
    exec 9>&-
    wait "$cleaner" || true
    exit "$status"
}
trap finish EXIT
trap 'exit 0' HUP INT QUIT TERM PIPE

# What is started gets SIGTERM if this shell is killed and cannot say so. The last one started ends first.
start() {
    setpriv --pdeathsig TERM -- "$@" &
    started="$! $started"
}

# GNU tail looks whether its output is still read, also while it has nothing to write.
while_read() {
    start tail -f --sleep-interval=0.2 --pid="$1" /dev/null
    wait "$!" || true
}

# A login over ssh on the loopback interface: ACCOUNT ETC FOLDER PORT WORD. Runs `env true WORD` there.
set -eu
user=$1 etc=$2 folder=$3 port=$4 word=$5
mount --make-rprivate /
mount --bind "$etc" /etc
# sshd wants this folder, and it is the host's.
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
chmod 755 "$folder"
useradd -M -d "$folder" -s /bin/sh "$user"
ssh-keygen -q -t ed25519 -N '' -f "$folder/host"
ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
cat >"$folder/config" <<END
Port $port
ListenAddress 127.0.0.1
HostKey $folder/host
AuthorizedKeysFile $folder/key.pub
StrictModes no
UsePAM yes
PidFile none
END
/usr/sbin/sshd -D -e -f "$folder/config" 2>"$folder/log" &
daemon=$!
trap 'kill "$daemon"; cat "$folder/log" >&2' EXIT
tries=0
until ssh -F none -i "$folder/key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
    "$user@127.0.0.1" /usr/bin/env true "$word"; do
    tries=$((tries + 1))
    [ "$tries" -lt 30 ] || exit 1
    sleep 0.5
done

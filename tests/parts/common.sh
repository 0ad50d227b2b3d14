# shellcheck shell=sh
# Helpers shared by the scripts in this folder, which start real programs (Docker Engine, container
# registry, Kubernetes) for tests and for `slipway up`. Source it after setting PART, the name that
# starts every message.
#
# Contract of every part script:
#   PART start DIR   starts the part with all its state under DIR, waits until it answers, prints
#                    KEY=VALUE lines on standard output; one line on standard error says what failed
#   PART stop DIR    ends exactly what `start DIR` started (by recorded process ids), nothing else
# Exit status: 0 done, 1 failed, 2 wrong usage, 77 cannot be had on this machine (the caller skips).

say() { printf '%s: %s\n' "${PART:-part}" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

cannot() {
    say "$*"
    exit 77
}

usage() {
    printf 'usage: %s start DIR | stop DIR\n' "$(basename "$0")" >&2
    exit 2
}

# absolute DIR: makes DIR and prints its absolute path.
absolute() {
    mkdir -p "$1" || return 1
    (cd "$1" && pwd -P)
}

# The folder where things that take minutes to make are kept between runs.
cache_root() { printf '%s/slipway\n' "${SLIPWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}}"; }

# free_ports N: prints N different TCP ports that are free on loopback at this moment. All are held
# open together while choosing, so that they differ.
free_ports() {
    python3 - "$1" <<'PYTHON'
import socket
import sys

held = []
for _ in range(int(sys.argv[1])):
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    held.append(s)
print("\n".join(str(s.getsockname()[1]) for s in held))
PYTHON
}

# started NAME DIR COMMAND...: runs COMMAND in its own session with its output in DIR/NAME.log, and
# records in DIR/NAME.pid its process id and start time, so that a reused id is never taken for it.
started() {
    started_name=$1
    started_dir=$2
    shift 2
    setsid "$@" </dev/null >>"$started_dir/$started_name.log" 2>&1 9>&- &
    printf '%s %s\n' "$!" "$(process_start "$!")" >"$started_dir/$started_name.pid"
}

# process_start PID: the start time of a process in clock ticks after boot (field 22 of
# /proc/PID/stat; the name in field 2 may hold spaces), or nothing when there is none.
process_start() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# alive FILE: whether the process recorded in the pid file still is that process and no zombie.
alive() {
    [ -s "$1" ] || return 1
    read -r alive_pid alive_start <"$1" || return 1
    [ -n "$alive_pid" ] && [ "$(process_start "$alive_pid")" = "$alive_start" ] || return 1
    case $(sed 's/.*) //' "/proc/$alive_pid/stat" 2>/dev/null) in
    Z* | '') return 1 ;;
    esac
}

# ended NAME DIR SECONDS: asks the recorded process to end, insists after SECONDS, and waits for it.
ended() {
    ended_file=$2/$1.pid
    if alive "$ended_file"; then
        read -r ended_pid _ <"$ended_file"
        kill -TERM "$ended_pid" 2>/dev/null || true
        wait_until "$3" not_alive "$ended_file" || kill -KILL "$ended_pid" 2>/dev/null || true
        wait_until 10 not_alive "$ended_file" || say "$1 (process $ended_pid) does not end"
    fi
    rm -f "$ended_file"
}

not_alive() { ! alive "$1"; }

# wait_until SECONDS COMMAND...: repeats COMMAND until it succeeds; fails after SECONDS.
wait_until() {
    wait_end=$(($(date +%s) + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt "$wait_end" ] || return 1
        sleep 0.1
    done
}

# last_line FILE: the last line of a log that names a problem, for error messages.
last_line() {
    grep -iE 'error|fatal|fail|denied|panic|unable|cannot' "$1" 2>/dev/null | tail -n 1 | cut -c 1-300
}

# need PROGRAM PACKAGE: stops with a clear message when a program is not there.
need() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null 2>&1 ||
        cannot "'$1' is not installed; run: apt-get install --no-install-recommends $2"
}

# debian_docker: prints the Docker client to use: Debian's own (20.10, with BuildKit inside) before
# any other on PATH, because a newer one may lack its buildx plugin.
debian_docker() {
    if [ -x /usr/bin/docker ]; then
        echo /usr/bin/docker
    else
        command -v docker
    fi
}

# unmount_under DIR: unmounts everything mounted on DIR and below it, the deepest first.
unmount_under() {
    cut -d ' ' -f 2 /proc/mounts | grep -F "$1" | sort -r | while read -r mount_point; do
        case $mount_point in
        "$1" | "$1"/*) umount "$(printf '%b' "$mount_point")" 2>/dev/null || umount -l "$(printf '%b' "$mount_point")" 2>/dev/null || true ;;
        esac
    done
}

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Where the worker of the conformance runs lives; for start and stop beside this file.

here=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
folder=${ENROLLD_CONFORMANCE_DIR:-}
if [ -z "$folder" ] && [ "$(id -u)" != 0 ] && [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ]; then
    folder=${XDG_CACHE_HOME:-$HOME/.cache}/enrolld-conformance
elif [ -z "$folder" ]; then # root's home is closed to the user that PostgreSQL runs as
    folder=/tmp/enrolld-conformance-$(id -u)
fi
work=$folder/worker
pid_file=$work/pid

# Neither the services nor the worker of somebody's other run are meant here.
clean=(env)
for name in $(compgen -e ENROLLD_); do clean+=(-u "$name"); done
services() { "${clean[@]}" "ENROLLD_SCRATCH=$folder" "${ports[@]}" "$here/scripts/services" "$@"; }
ports=() taken=()

started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

worker_pid() { # of the worker that was started here; a number that the system gave away again is not taken for it
    local pid start
    { read -r pid start <"$pid_file"; } 2>/dev/null || return 1
    [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ] || return 1
    case "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f1)" in '' | Z | X) return 1 ;; esac
    echo "$pid"
}

stop_worker() {
    local pid begin=$SECONDS
    pid=$(worker_pid) || { rm -f "$pid_file"; return 0; }
    kill -CONT "$pid" 2>/dev/null || true
    kill -TERM "$pid" 2>/dev/null || true
    while worker_pid >/dev/null; do
        [ $((SECONDS - begin)) -lt 40 ] || kill -KILL "$pid" 2>/dev/null || true
        sleep 0.1
    done
    rm -f "$pid_file"
}

lock() { # one caller at a time
    mkdir -p "$work"
    [ -O "$folder" ] || { say "$folder belongs to somebody else; choose another folder with ENROLLD_CONFORMANCE_DIR"; exit 1; }
    chmod 711 "$folder"
    chmod 700 "$work"
    exec 7>"$work/lock"
    flock -w 600 7 || { say "another start or stop has been at work for 10 minutes"; exit 1; }
}

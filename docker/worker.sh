#!/bin/sh
# Indexes again and again, so that new videos are taken as they come. The arguments are those of `prismsearch index`.
#
# PAUSE_SECONDS: between two runs, 600 by default. RETRY_SECONDS: after a run that could not begin or go on because
# something was missing, such as the database while it starts again; 20 by default. A signal ends the run, which keeps
# what it has finished.
set -u
child=
stop() {
    trap - INT TERM
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
    wait
    exit 0
}
trap stop INT TERM
while :; do
    prismsearch.sh index "$@" &
    child=$!
    wait "$child"
    if [ $? = 3 ]; then pause=${RETRY_SECONDS:-20}; else pause=${PAUSE_SECONDS:-600}; fi
    sleep "$pause" &
    child=$!
    wait "$child"
done

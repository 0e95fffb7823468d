#!/bin/sh
# prismsearch with the database's password in its environment, from a secret: no command line has it.
set -eu
secret=${PRISMSEARCH_PASSWORD_FILE:-/run/secrets/database_password}
if [ -r "$secret" ]; then
    PGPASSWORD=$(cat "$secret")
    export PGPASSWORD
elif [ -e "$secret" ]; then
    echo "prismsearch: $secret cannot be read by user $(id -u): chmod a+r the file on the host" >&2
    exit 3
fi
exec prismsearch "$@"

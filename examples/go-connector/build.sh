#!/bin/sh
# build.sh OUTPUT: build the connector to the file OUTPUT.
here=$(dirname "$0")
exec "$here/../build-go.sh" "$here" "$1"

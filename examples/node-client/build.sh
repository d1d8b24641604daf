#!/bin/sh
# build.sh FOLDER: put the client, its libraries and the messages, generated from protos/, into FOLDER. Needs Node 20 or newer
# with npm, and Python with grpcio-tools (PYTHON names it). Leaves nothing in this folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
protos=$here/../../protos
mkdir -p "$1"
cd "$1"
cp "$here"/*.js "$here"/package.json "$here"/package-lock.json .
npm ci --silent --no-audit --no-fund >&2
mkdir -p wire
set --
for name in artifacts connector execution identifiers interface literals security services tasks types; do
    set -- "$@" "connectory/v1/$name.proto"
done
PATH=$PWD/node_modules/.bin:$PATH "${PYTHON:-python3}" -m grpc_tools.protoc -I "$protos" \
    --es_out=wire --es_opt=target=js,import_extension=js "$@"

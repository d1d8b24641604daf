#!/bin/sh
# build.sh OUTPUT: generate the messages from protos/ and build the connector to the file OUTPUT. Needs Go 1.19 or newer,
# and Python with grpcio-tools (PYTHON names it). Leaves nothing in this folder.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
protos=$here/../../protos
output=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
module=connectory.example/go-connector

cp "$here"/*.go "$here"/go.mod "$here"/go.sum "$work"
mkdir "$work/bin"
cd "$work"
export GOFLAGS=-mod=readonly
go build -o bin google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc

set --
for name in artifacts connector execution identifiers interface literals security services tasks types; do
    file=connectory/v1/$name.proto
    set -- "$@" "--go_opt=M$file=$module/wire" "--go-grpc_opt=M$file=$module/wire" "$file"
done
PATH=$work/bin:$PATH "${PYTHON:-python3}" -m grpc_tools.protoc -I "$protos" \
    --go_out=. "--go_opt=module=$module" --go-grpc_out=. "--go-grpc_opt=module=$module" "$@"
go build -o "$output" .

#!/bin/sh
# build-go.sh FOLDER OUTPUT: generate the messages from protos/ and build the program of a folder beside this file to the file
# OUTPUT. Needs Go 1.19 or newer, and Python with grpcio-tools (PYTHON names it). Leaves nothing in the folder.
set -eu
protos=$(cd "$(dirname "$0")/../protos" && pwd)
source=$(cd "$1" && pwd)
output=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$source"/*.go "$source"/go.mod "$source"/go.sum "$work"
mkdir "$work/bin"
cd "$work"
module=$(sed -n 's/^module //p' go.mod)
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

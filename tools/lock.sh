#!/bin/sh
# Resolve every requirement file for all platforms and Pythons that the project supports, with hashes and without an index.
set -eu
compile() {
    out=$1
    shift
    uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --custom-compile-command "make lock" \
        --no-emit-index-url "$@" -o "requirements/$out.txt"
}
echo "uv" | compile uv -
compile dev pyproject.toml requirements/build.in --all-extras --group dev
compile run pyproject.toml requirements/build.in --extra sql --extra example -c requirements/dev.txt
compile server pyproject.toml --extra sql --extra otlp --extra postgres --extra jwt --extra kubernetes \
    -c requirements/dev.txt
compile build requirements/build.in -c requirements/dev.txt
printf '%s\n' "flytekit[connector]~=1.16.0" kubernetes pandas pyarrow pydantic | compile flytekit -
echo "dbos" | compile dbos -
echo "flyte[connector]~=2.12" | compile flyte2 -

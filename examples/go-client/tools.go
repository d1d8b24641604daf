//go:build tools

// Package main names the generators that build.sh runs, so that go.mod and go.sum know them.
package main

import (
	_ "google.golang.org/grpc/cmd/protoc-gen-go-grpc"
	_ "google.golang.org/protobuf/cmd/protoc-gen-go"
)

// A client in Go: it has a connector server do one task, as an engine would.
//
//	go-client ADDRESS TASK_TYPE KEY CONFIG [OUTPUT...]
//
// ADDRESS is HOST:PORT or unix:/PATH, CONFIG an object in JSON, each OUTPUT a whole number that the task declares. The
// same KEY means the same job, however often it is asked for. CONNECTORY_CLIENT_CA names the authority of a server with
// TLS, CONNECTORY_TOKEN the bearer token of one that wants it. SIGINT and SIGTERM end the job, and wait until it is gone.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: go-client ADDRESS TASK_TYPE KEY CONFIG [OUTPUT...]")
		os.Exit(2)
	}
	told, err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "go-client:", err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(told)
	if told.Phase != "SUCCEEDED" {
		os.Exit(1)
	}
}

func run(address, taskType, key, config string, outputs []string) (*outcome, error) {
	template, err := templateOf(taskType, config, outputs)
	if err != nil {
		return nil, err
	}
	connection, err := dial(address)
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return newEngine(connection).do(stopped, template, key)
}

// The real Kubernetes API server, with etcd and the controllers that Jobs need, in one process, for tests.
//
// There is no scheduler and no kubelet: a test says which pods run, and how.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const token = "everything"

func main() {
	folder := flag.String("folder", "", "an empty folder of its own; `kubeconfig` appears there once everything serves")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, folder string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	etcd, endpoint, err := startEtcd(filepath.Join(folder, "etcd"))
	if err != nil {
		return fmt.Errorf("etcd: %w", err)
	}
	defer etcd.Close()
	port, err := freePort()
	if err != nil {
		return err
	}
	ended := make(chan error, 2)
	go func() { ended <- serveAPI(ctx, folder, endpoint, port) }()
	go func() {
		if err := startControllers(ctx, folder, port); err != nil {
			ended <- err
		}
	}()
	return <-ended
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

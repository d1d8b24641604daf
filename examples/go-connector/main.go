// A connector in Go: it answers the connector protocol under this project's names and under Flyte's.
//
//	go-connector unix:/run/go.sock
//	go-connector 127.0.0.1:8001
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"connectory.example/go-connector/wire"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go-connector unix:/PATH|HOST:PORT")
		os.Exit(2)
	}
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "go-connector:", err)
		os.Exit(1)
	}
}

func serve(address string) error {
	network := "tcp"
	if strings.HasPrefix(address, "unix:") {
		network, address = "unix", strings.TrimPrefix(address, "unix:")
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	register(server)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		server.GracefulStop()
	}()
	fmt.Println("serving", listener.Addr())
	return server.Serve(listener)
}

func register(server *grpc.Server) {
	jobs := &jobService{jobs: &system{byID: map[string]*job{}}}
	metadata := metadataService{}
	server.RegisterService(&wire.AsyncConnectorService_ServiceDesc, jobs)
	server.RegisterService(&wire.ConnectorMetadataService_ServiceDesc, metadata)
	server.RegisterService(named(wire.AsyncConnectorService_ServiceDesc, "flyteidl.service.AsyncAgentService"), jobs)
	server.RegisterService(named(wire.ConnectorMetadataService_ServiceDesc, "flyteidl.service.AgentMetadataService"), metadata)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
}

// named is the same service under another name. Flyte says Agent where we say Connector; the bytes are the same.
func named(desc grpc.ServiceDesc, name string) *grpc.ServiceDesc {
	desc.ServiceName = name
	methods := append([]grpc.MethodDesc(nil), desc.Methods...)
	for i := range methods {
		methods[i].MethodName = strings.Replace(methods[i].MethodName, "Connector", "Agent", 1)
	}
	desc.Methods = methods
	return &desc
}

package main

import (
	"context"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// dial connects with TLS when CONNECTORY_CLIENT_CA names an authority, and brings CONNECTORY_TOKEN with every call.
func dial(address string) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if authority := os.Getenv("CONNECTORY_CLIENT_CA"); authority != "" {
		trusted, err := credentials.NewClientTLSFromFile(authority, "")
		if err != nil {
			return nil, err
		}
		transport = trusted
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport)}
	if word := os.Getenv("CONNECTORY_TOKEN"); word != "" {
		options = append(options, grpc.WithPerRPCCredentials(token(word)))
	}
	return grpc.Dial(address, options...)
}

// token is a bearer token. It is sent over TLS only.
type token string

func (t token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(t)}, nil
}

func (token) RequireTransportSecurity() bool { return true }

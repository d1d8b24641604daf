package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func startEtcd(folder string) (*embed.Etcd, string, error) {
	config := embed.NewConfig()
	config.Dir = folder
	config.LogLevel = "error"
	config.UnsafeNoFsync = true
	loopback := url.URL{Scheme: "http", Host: "127.0.0.1:0"}
	config.ListenClientUrls = []url.URL{loopback}
	config.ListenPeerUrls = []url.URL{loopback}
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return nil, "", err
	}
	<-etcd.Server.ReadyNotify()
	return etcd, "http://" + etcd.Clients[0].Addr().String(), nil
}

// Serves until the context ends.
func serveAPI(ctx context.Context, folder string, etcd string, port int) error {
	key, err := writeKey(filepath.Join(folder, "accounts.key"))
	if err != nil {
		return err
	}
	tokens := filepath.Join(folder, "tokens.csv")
	line := fmt.Sprintf("%s,admin,admin,\"system:masters\"\n", token)
	if err := os.WriteFile(tokens, []byte(line), 0o600); err != nil {
		return err
	}
	command := app.NewAPIServerCommand()
	command.SetContext(ctx)
	command.SetArgs([]string{
		"--etcd-servers=" + etcd,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		"--secure-port=" + strconv.Itoa(port),
		"--cert-dir=" + filepath.Join(folder, "certificates"),
		"--token-auth-file=" + tokens,
		"--authorization-mode=RBAC",
		"--endpoint-reconciler-type=none",
		"--service-account-issuer=https://cluster.test",
		"--service-account-key-file=" + key,
		"--service-account-signing-key-file=" + key,
		"--service-cluster-ip-range=10.0.0.0/24",
		"--enable-priority-and-fairness=false",
		"--v=0",
	})
	return command.Execute()
}

func writeKey(path string) (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return path, os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/ttlafterfinished"
)

// Starts the controllers of Jobs, of what belongs to what is deleted, and of Jobs that ended long ago.
func startControllers(ctx context.Context, folder string, port int) error {
	config := &rest.Config{
		Host:            fmt.Sprintf("https://127.0.0.1:%d", port),
		BearerToken:     token,
		TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(folder, "certificates", "apiserver.crt")},
		QPS:             1000,
		Burst:           2000,
	}
	client, err := awaitServer(ctx, config)
	if err != nil {
		return err
	}
	contents, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	typed := informers.NewSharedInformerFactory(client, 0)
	factory := informerfactory.NewInformerFactory(typed, metadatainformer.NewSharedInformerFactory(contents, 0))
	started := make(chan struct{})
	jobs, err := job.NewController(ctx, typed.Core().V1().Pods(), typed.Batch().V1().Jobs(), client)
	if err != nil {
		return err
	}
	old := ttlafterfinished.New(ctx, typed.Batch().V1().Jobs(), client)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(client.Discovery()))
	ignored := garbagecollector.DefaultIgnoredResources()
	garbage, err := garbagecollector.NewGarbageCollector(ctx, client, contents, mapper, ignored, factory, started)
	if err != nil {
		return err
	}
	typed.Start(ctx.Done())
	factory.Start(ctx.Done())
	close(started)
	go jobs.Run(ctx, 2)
	go old.Run(ctx, 1)
	go garbage.Run(ctx, 4, time.Minute)
	go garbage.Sync(ctx, client.Discovery(), time.Hour)
	return writeKubeconfig(config, folder)
}

func awaitServer(ctx context.Context, config *rest.Config) (kubernetes.Interface, error) {
	var client kubernetes.Interface
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		if _, err := os.Stat(config.CAFile); err != nil {
			return false, nil
		}
		made, err := kubernetes.NewForConfig(config)
		if err != nil {
			return false, nil
		}
		client = made
		answer := made.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx)
		return answer.Error() == nil, nil
	})
	return client, err
}

// The file appears whole.
func writeKubeconfig(config *rest.Config, folder string) error {
	authority, err := os.ReadFile(config.CAFile)
	if err != nil {
		return err
	}
	written := api.NewConfig()
	written.Clusters["test"] = &api.Cluster{Server: config.Host, CertificateAuthorityData: authority}
	written.AuthInfos["admin"] = &api.AuthInfo{Token: token}
	written.Contexts["test"] = &api.Context{Cluster: "test", AuthInfo: "admin"}
	written.CurrentContext = "test"
	unfinished := filepath.Join(folder, "kubeconfig.new")
	if err := clientcmd.WriteToFile(*written, unfinished); err != nil {
		return err
	}
	return os.Rename(unfinished, filepath.Join(folder, "kubeconfig"))
}

package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"connectory.example/go-connector/wire"
)

const (
	name     = "GoSum"
	taskType = "go_sum"
)

// jobService answers AsyncConnectorService.
type jobService struct {
	wire.UnimplementedAsyncConnectorServiceServer
	jobs *system
}

func (s *jobService) CreateTask(_ context.Context, request *wire.CreateTaskRequest) (*wire.CreateTaskResponse, error) {
	template := request.GetTemplate()
	if template == nil {
		return nil, status.Error(codes.InvalidArgument, "the request has no template")
	}
	if err := known(template.GetType(), template.GetTaskTypeVersion()); err != nil {
		return nil, err
	}
	n, seconds := 10.0, 0.0
	for setting, value := range template.GetCustom().GetFields() {
		switch setting {
		case "n":
			n = value.GetNumberValue()
		case "seconds":
			seconds = value.GetNumberValue()
		default:
			return nil, status.Errorf(codes.InvalidArgument, "custom.%s is unknown; known are n, seconds", clipped(setting))
		}
	}
	if n < 0 || n > 1e6 || n != math.Trunc(n) || seconds < 0 || seconds > 3600 {
		return nil, status.Error(codes.InvalidArgument, "custom.n must be a whole number to 1e6, custom.seconds at most 3600")
	}
	lasts := time.Duration(seconds * float64(time.Second))
	id, err := s.jobs.start(keyOf(request), digestOf(request), int64(n), lasts)
	if err != nil {
		return nil, status.Error(codes.AlreadyExists, err.Error())
	}
	return &wire.CreateTaskResponse{ResourceMeta: handle{Version: 1, ID: id}.encode()}, nil
}

func (s *jobService) GetTask(_ context.Context, request *wire.GetTaskRequest) (*wire.GetTaskResponse, error) {
	h, err := asked(request.GetTaskCategory(), request.GetTaskType(), request.GetResourceMeta())
	if err != nil {
		return nil, err
	}
	found, ok := s.jobs.find(h.ID)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "there is no job %s", clipped(h.ID))
	}
	resource := &wire.Resource{}
	switch {
	case found.deleted:
		resource.Phase, resource.State = wire.TaskExecution_ABORTED, wire.State_PERMANENT_FAILURE
	case time.Now().Before(found.ends):
		resource.Phase, resource.State = wire.TaskExecution_RUNNING, wire.State_RUNNING
	default:
		resource.Phase, resource.State = wire.TaskExecution_SUCCEEDED, wire.State_SUCCEEDED
		resource.Outputs = &wire.LiteralMap{Literals: map[string]*wire.Literal{"sum": integer(found.n * (found.n + 1) / 2)}}
	}
	return &wire.GetTaskResponse{Resource: resource}, nil
}

func (s *jobService) DeleteTask(_ context.Context, request *wire.DeleteTaskRequest) (*wire.DeleteTaskResponse, error) {
	h, err := asked(request.GetTaskCategory(), request.GetTaskType(), request.GetResourceMeta())
	if err != nil {
		return nil, err
	}
	s.jobs.remove(h.ID)
	return &wire.DeleteTaskResponse{}, nil
}

// metadataService answers ConnectorMetadataService.
type metadataService struct {
	wire.UnimplementedConnectorMetadataServiceServer
}

func (metadataService) ListConnectors(context.Context, *wire.ListConnectorsRequest) (*wire.ListConnectorsResponse, error) {
	return &wire.ListConnectorsResponse{Connectors: []*wire.Connector{described()}}, nil
}

func (metadataService) GetConnector(_ context.Context, request *wire.GetConnectorRequest) (*wire.GetConnectorResponse, error) {
	if request.GetName() != name {
		return nil, status.Errorf(codes.NotFound, "no connector is called %q; there is %s", clipped(request.GetName()), name)
	}
	return &wire.GetConnectorResponse{Connector: described()}, nil
}

func described() *wire.Connector {
	return &wire.Connector{
		Name:                    name,
		SupportedTaskTypes:      []string{taskType},
		SupportedTaskCategories: []*wire.TaskCategory{{Name: taskType}},
	}
}

// asked is what a request about a job names: the category in new words or old, and the handle.
func asked(category *wire.TaskCategory, oldType string, data []byte) (handle, error) {
	if category == nil {
		category = &wire.TaskCategory{Name: oldType}
	}
	if err := known(category.GetName(), category.GetVersion()); err != nil {
		return handle{}, err
	}
	h, err := decodeHandle(data)
	if err != nil {
		return h, status.Error(codes.InvalidArgument, err.Error())
	}
	return h, nil
}

func known(category string, version int32) error {
	if category == taskType && version == 0 {
		return nil
	}
	return status.Errorf(codes.NotFound, "nobody answers %s@%d; there is %s@0", clipped(category), version, taskType)
}

// keyOf is what makes a repeated create recognisable: the key, or execution, node and attempt.
func keyOf(request *wire.CreateTaskRequest) string {
	if key := request.GetIdempotencyKey(); key != "" {
		return key
	}
	id := request.GetTaskExecutionMetadata().GetTaskExecutionId()
	execution := id.GetNodeExecutionId().GetExecutionId()
	if execution.GetName() == "" {
		return ""
	}
	return strings.Join([]string{
		execution.GetProject(), execution.GetDomain(), execution.GetName(),
		id.GetNodeExecutionId().GetNodeId(), fmt.Sprint(id.GetRetryAttempt()),
	}, "/")
}

// digestOf tells requests of other content apart. What a connection says may change from call to call.
func digestOf(request *wire.CreateTaskRequest) [32]byte {
	same := proto.Clone(request).(*wire.CreateTaskRequest)
	same.Connection = nil
	data, _ := proto.MarshalOptions{Deterministic: true}.Marshal(same)
	return sha256.Sum256(data)
}

func integer(value int64) *wire.Literal {
	primitive := &wire.Primitive{Value: &wire.Primitive_Integer{Integer: value}}
	return &wire.Literal{Value: &wire.Literal_Scalar{Scalar: &wire.Scalar{Value: &wire.Scalar_Primitive{Primitive: primitive}}}}
}

// clipped keeps a status small: callers cannot read one of more than 8 KB.
func clipped(text string) string {
	if len(text) > 100 {
		return strings.ToValidUTF8(text[:100], "") + "…"
	}
	return text
}

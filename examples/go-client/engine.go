package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"connectory.example/go-client/wire"
)

const callLimit = 10 * time.Second

// outcome is what became of the task.
type outcome struct {
	Handle  string           `json:"handle"`
	Phase   string           `json:"phase"`
	Message string           `json:"message,omitempty"`
	Outputs map[string]int64 `json:"outputs"`
	Log     []string         `json:"log"`
}

// engine does tasks through one connection.
type engine struct {
	jobs wire.AsyncConnectorServiceClient
}

func newEngine(connection *grpc.ClientConn) *engine {
	return &engine{jobs: wire.NewAsyncConnectorServiceClient(connection)}
}

// do starts the job, follows it to its end, and reads its log. When stopped ends before, the job is deleted.
func (e *engine) do(stopped context.Context, template *wire.TaskTemplate, key string) (*outcome, error) {
	category := &wire.TaskCategory{Name: template.Type, Version: template.TaskTypeVersion}
	handle, err := e.create(stopped, template, key)
	var resource *wire.Resource
	if err == nil {
		resource, err = e.follow(stopped, category, handle)
	}
	if stopped.Err() != nil {
		return &outcome{Handle: string(handle), Phase: "ABORTED"}, e.delete(category, handle, key)
	}
	if err != nil {
		return nil, err
	}
	told := &outcome{
		Handle: string(handle), Phase: resource.Phase.String(), Message: resource.Message, Outputs: map[string]int64{},
	}
	for name, literal := range resource.GetOutputs().GetLiterals() {
		told.Outputs[name] = literal.GetScalar().GetPrimitive().GetInteger()
	}
	told.Log, err = e.lines(category, handle)
	return told, err
}

// create is safe to repeat, because the key says which job is meant.
func (e *engine) create(stopped context.Context, template *wire.TaskTemplate, key string) ([]byte, error) {
	request := &wire.CreateTaskRequest{Template: template, IdempotencyKey: key}
	var handle []byte
	err := e.again(stopped, "CreateTask", func(ctx context.Context) error {
		created, err := e.jobs.CreateTask(ctx, request)
		handle = created.GetResourceMeta()
		return err
	})
	return handle, err
}

// follow asks until the job has ended. A poll that fails is no job that failed.
func (e *engine) follow(stopped context.Context, category *wire.TaskCategory, handle []byte) (*wire.Resource, error) {
	request := &wire.GetTaskRequest{TaskCategory: category, ResourceMeta: handle}
	for {
		var resource *wire.Resource
		err := e.again(stopped, "GetTask", func(ctx context.Context) error {
			answer, err := e.jobs.GetTask(ctx, request)
			resource = answer.GetResource()
			return err
		})
		if err != nil || hasEnded(resource.GetPhase()) {
			return resource, err
		}
		wait := 200 * time.Millisecond
		if later := resource.GetPollAfter(); later != nil {
			wait = later.AsDuration()
		}
		if !pause(stopped, wait) {
			return nil, stopped.Err()
		}
	}
}

// delete is repeated until it is confirmed; a job that is gone already is no error. Should the create not have been
// answered, the key says which job is meant.
func (e *engine) delete(category *wire.TaskCategory, handle []byte, key string) error {
	request := &wire.DeleteTaskRequest{TaskCategory: category, ResourceMeta: handle, IdempotencyKey: key}
	return e.again(context.Background(), "DeleteTask", func(ctx context.Context) error {
		_, err := e.jobs.DeleteTask(ctx, request)
		return err
	})
}

func (e *engine) lines(category *wire.TaskCategory, handle []byte) ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), callLimit)
	defer cancel()
	stream, err := e.jobs.GetTaskLogs(ctx, &wire.GetTaskLogsRequest{TaskCategory: category, ResourceMeta: handle})
	if err != nil {
		return nil, err
	}
	lines := []string{}
	for {
		part, err := stream.Recv()
		if err == io.EOF || status.Code(err) == codes.Unimplemented {
			return lines, nil
		}
		if err != nil {
			return nil, err
		}
		for _, line := range part.GetBody().GetStructuredLines() {
			lines = append(lines, line.GetMessage())
		}
	}
}

// again repeats a call that may succeed later, each time after a longer pause.
func (e *engine) again(stopped context.Context, name string, call func(context.Context) error) error {
	for wait := 100 * time.Millisecond; ; wait = longer(wait) {
		ctx, cancel := context.WithTimeout(stopped, callLimit)
		err := call(ctx)
		cancel()
		switch status.Code(err) {
		case codes.Unavailable, codes.ResourceExhausted, codes.DeadlineExceeded:
			fmt.Fprintf(os.Stderr, "%s again: %v\n", name, err)
		default:
			return err
		}
		if !pause(stopped, wait) {
			return stopped.Err()
		}
	}
}

func hasEnded(phase wire.TaskExecution_Phase) bool {
	switch phase {
	case wire.TaskExecution_SUCCEEDED, wire.TaskExecution_FAILED, wire.TaskExecution_ABORTED,
		wire.TaskExecution_RETRYABLE_FAILED:
		return true
	}
	return false // also for a phase that this client does not know
}

func longer(wait time.Duration) time.Duration {
	if wait *= 2; wait > 5*time.Second {
		return 5 * time.Second
	}
	return wait
}

// pause waits; false: it was stopped.
func pause(stopped context.Context, wait time.Duration) bool {
	select {
	case <-stopped.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

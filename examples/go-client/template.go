package main

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/types/known/structpb"

	"connectory.example/go-client/wire"
)

// templateOf says what is to be done: a task type, its config, and the outputs that are expected.
func templateOf(taskType, config string, outputs []string) (*wire.TaskTemplate, error) {
	var settings map[string]any
	if err := json.Unmarshal([]byte(config), &settings); err != nil {
		return nil, fmt.Errorf("CONFIG is no object in JSON: %w", err)
	}
	custom, err := structpb.NewStruct(settings)
	if err != nil {
		return nil, err
	}
	declared := &wire.VariableMap{Variables: map[string]*wire.Variable{}}
	for _, name := range outputs {
		kind := &wire.LiteralType{Type: &wire.LiteralType_Simple{Simple: wire.SimpleType_INTEGER}}
		declared.Variables[name] = &wire.Variable{Type: kind}
	}
	return &wire.TaskTemplate{
		Id:        &wire.Identifier{Name: "go-client"},
		Type:      taskType,
		Custom:    custom,
		Interface: &wire.TypedInterface{Outputs: declared},
	}, nil
}

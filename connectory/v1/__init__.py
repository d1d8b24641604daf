"""Generated protobuf messages and gRPC stubs of the `connectory.v1` wire; regenerate with `make protos`, never edit."""

"""What every gRPC server of this project needs: addresses, TLS, health, reflection, failures as statuses."""

"""Moving data without credentials for the object store: signed addresses, and who answers at them."""

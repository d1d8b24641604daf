"""One look at the world, one file for each thing that a sensor waits for."""

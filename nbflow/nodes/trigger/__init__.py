"""Where an execution starts."""

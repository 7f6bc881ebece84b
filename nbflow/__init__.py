"""nbflow."""

"""Worker kernels: where flows with Python functions run, away from the server's own process."""

"""The server's pages: Panel applications behind the gate, on the server's own port."""

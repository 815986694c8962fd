"""What happened to one request: its whole way through the processes of a stack, from what they recorded."""

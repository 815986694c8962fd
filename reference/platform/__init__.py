"""What the cases share. Nothing here imports a case."""

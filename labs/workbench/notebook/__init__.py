"""What a notebook shows and does: components from cells, checks, charts, experiments."""

"""Demonstrations that are longer than a cell: small, counted, and tested like the rest."""

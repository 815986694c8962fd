"""The answers that the notebooks of the URL shortener ask for."""

"""Checks of the slots of the URL shortener."""

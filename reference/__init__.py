"""The complete systems that the workbench teaches. Start at `reference/README.md`."""

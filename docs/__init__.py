"""The documentation, and the code that generates its tables: `make docs`."""

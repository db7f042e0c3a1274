"""Files that are written whole or not at all; arrays and tables in them."""

"""The pictures, each a function from arrays to a Matplotlib figure."""

"""The command line: one command a file; main.py gathers them."""

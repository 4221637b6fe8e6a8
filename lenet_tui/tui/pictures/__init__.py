"""The pictures of a run, drawn again and shown in the terminal."""

"""The terminal app. It reads the store and writes requests into it; runs belong to the runner, never to the app.

``watch`` reads, ``app`` and ``screens`` show and ask, ``widgets`` are the panes, ``keys`` is the one table of keys.
"""

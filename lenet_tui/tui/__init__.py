"""The terminal app. It reads the store and writes requests into it; runs belong to the runner, never to the app.

``store_watcher`` reads, each feature has a folder with its screen or panel, ``keys`` is the one table of keys.
"""

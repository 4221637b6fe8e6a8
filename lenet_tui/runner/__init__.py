"""The background process that runs what is queued: `daemon` starts and finds it, `scheduler` is its loop."""

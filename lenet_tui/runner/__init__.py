"""The background process that runs what is queued: `daemon` starts and finds it, `service` is its loop."""

"""The sections of the discussion: what was found goes in, sentences come out, one module a question."""

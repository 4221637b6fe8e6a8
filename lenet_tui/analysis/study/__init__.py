"""The study of the assignment: which runs it takes, what follows from them, and the document that says so.

``plan`` says what to train and which runs on record that is; it knows nothing of the store.
"""

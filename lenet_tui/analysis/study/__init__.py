"""The study of the assignment: which runs it takes, what follows from them, and the document that says so.

``arms`` says what to train, ``cells`` which runs on record do; both know nothing of the store.
"""

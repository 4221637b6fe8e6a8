"""Dialogs that ask, help, and get data sets."""

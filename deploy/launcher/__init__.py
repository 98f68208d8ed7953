"""What deploy/suite.py is made of: it runs the suite of a servers.json on this machine, and keeps it running."""

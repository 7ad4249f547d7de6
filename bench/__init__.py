"""Measurements that anyone can repeat: `make bench`, or `make bench BENCH=dossier` for one."""

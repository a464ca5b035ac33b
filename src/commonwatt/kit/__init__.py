"""Plumbing without a subject: database, outbox, jobs, web, pages, command line, log, metrics."""

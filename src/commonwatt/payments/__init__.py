"""Payments: invoices, holds, payouts, refunds over any rail."""

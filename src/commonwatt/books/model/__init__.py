"""The books' rules, without a database: `account` (kinds), `posting` (entries that balance), `hold`."""

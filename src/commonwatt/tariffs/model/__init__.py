"""Pure nouns and arithmetic of tariffs: no clock, no database, no floats.

Reading order: `tariff` (what a price is), `calendar` (when its elements hold), `tally` (what a session has used, kept
step by step), `bill` (what that costs), `limit` (how far a credit lasts), `explain` (a tariff in words), `rate`
(what a bitcoin is worth).
"""

"""The simulated world: the production assembly on virtual time, with stations, payers, faults and laws."""

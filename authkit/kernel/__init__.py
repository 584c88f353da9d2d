"""Pure values and judgements: no Django, no clock, no settings."""

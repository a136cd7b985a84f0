"""Settings: schema, composition, rules, identity."""

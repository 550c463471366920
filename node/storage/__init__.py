"""The node's database: tables, one repository file an aggregate, and the unit of work."""

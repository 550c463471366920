"""Who may see what: label, party, subject, rule, decision."""

"""What stages hand to each other, and the files people write: schemas, rules, settings, problems, tables."""

"""The alignment ledger: what a teacher's held-out responses cost a base model in context, and what each piece saves."""

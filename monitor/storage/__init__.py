"""What is kept: tables, transactions and queries on SQLite and PostgreSQL."""

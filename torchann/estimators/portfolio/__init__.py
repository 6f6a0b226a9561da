"""The strongest net for a table: encodings and recipes that race, and the best of them weighted."""

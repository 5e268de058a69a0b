"""Records for researchers: partitioned Parquet with a data dictionary; names, units and codes harmonised."""

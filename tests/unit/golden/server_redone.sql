SELECT DATEDIFF(second, last_commit_time, GETDATE()) AS seconds FROM sys.dm_hadr_database_replica_states WHERE is_local = 1 AND database_id = DB_ID();

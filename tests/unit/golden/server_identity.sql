SELECT CONVERT(varchar(36), service_broker_guid) AS [identity] FROM sys.databases WHERE database_id = DB_ID();

SELECT TOP 5000 ct.[station], ct.[at], aos.[ta], 'version' AS aos_phase, ct.[SYS_CHANGE_VERSION] AS aos_version, ct.[SYS_CHANGE_OPERATION] AS aos_operation, convert(varchar(33), ct.[at], 126) AS aos_key_1
FROM changetable(CHANGES [dbo].[Obs], 41) AS ct LEFT OUTER JOIN [dbo].[Obs] AS aos ON aos.[station] = ct.[station] AND aos.[at] = ct.[at]
WHERE ct.[SYS_CHANGE_VERSION] <= 43 ORDER BY ct.[SYS_CHANGE_VERSION], ct.[station], ct.[at];

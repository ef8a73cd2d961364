SELECT TOP 5000 ct.[id], aos.[at], aos.[station], aos.[ta], 'version' AS aos_phase, ct.[SYS_CHANGE_VERSION] AS aos_version, ct.[SYS_CHANGE_OPERATION] AS aos_operation
FROM changetable(CHANGES [dbo].[Obs], 41) AS ct LEFT OUTER JOIN [dbo].[Obs] AS aos ON aos.[id] = ct.[id]
WHERE ct.[SYS_CHANGE_VERSION] <= 43 AND ct.[SYS_CHANGE_OPERATION] != N'D' ORDER BY ct.[SYS_CHANGE_VERSION], ct.[id];

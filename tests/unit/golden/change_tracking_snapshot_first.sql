SELECT TOP 5000 aos.[station], aos.[at], aos.[ta], 'snapshot' AS aos_phase, 41 AS aos_version, N'I' AS aos_operation, convert(varchar(33), aos.[at], 126) AS aos_key_1
FROM [dbo].[Obs] AS aos ORDER BY aos.[station], aos.[at];

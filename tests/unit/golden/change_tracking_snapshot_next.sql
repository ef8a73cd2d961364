SELECT TOP 5000 aos.[station], aos.[at], aos.[ta], 'snapshot' AS aos_phase, 41 AS aos_version, N'I' AS aos_operation, convert(varchar(33), aos.[at], 126) AS aos_key_1
FROM [dbo].[Obs] AS aos
WHERE aos.[station] > CAST('JFK' AS VARCHAR(16)) OR aos.[station] = CAST('JFK' AS VARCHAR(16)) AND aos.[at] > convert(DATETIME2(7), '2020-01-01T00:00:00.1234567', 126) ORDER BY aos.[station], aos.[at];

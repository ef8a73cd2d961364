SELECT TOP 5000 aos.[id], aos.[at], aos.[station], aos.[flag], aos.[ta], convert(varchar(33), aos.[changed], 126) AS aos_time, aos.[id] AS aos_id, convert(varchar(33), aos.[at], 126) AS aos_observed, aos.[id] AS aos_end_0
FROM [hourly] AS aos
WHERE aos.[at] >= convert(DATETIME2(7), '2013-11-03T00:00:00', 126) AND aos.[at] < convert(DATETIME2(7), '2013-11-05T00:00:00', 126) AND aos.[station] IN ('JFK', 'LGA') ORDER BY aos.[at], aos.[id];

SELECT change_tracking_current_version() AS bound, change_tracking_min_valid_version(object_id('[dbo].[Obs]')) AS least;

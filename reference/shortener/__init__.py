"""Case `url-shortener`: long URLs become short codes; codes become redirects; redirects become counts."""

"""HTML for the page, as pure functions of records; every text of a visitor or model passes ``html.text``."""

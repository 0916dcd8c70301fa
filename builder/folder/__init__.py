"""The Hub-ready dataset folder: Parquet, versions, manifests, card and figures."""

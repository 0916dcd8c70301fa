"""The one loop: pairs -> prompts -> engine -> contexts, journaled as each finishes."""

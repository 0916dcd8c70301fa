"""How ``builder.publish`` does it: look, plan, merge, commit, tag, read back."""

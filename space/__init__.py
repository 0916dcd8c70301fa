"""The Gradio Space: the app, its handlers, what they make of a request, and how it looks."""

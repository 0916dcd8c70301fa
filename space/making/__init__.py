"""From what a visitor asked for to a result, without Gradio and HTML."""

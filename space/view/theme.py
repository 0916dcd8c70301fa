"""The page's look: paper and ink, one accent, and the colour of evidence.

Colours live in ``page.css`` as custom properties, once for light and once for dark; the theme only
points Gradio's own variables at them. Fonts are those of the system, so the page asks nobody for
anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradio.themes import Base

_HERE = Path(__file__).parent

# Gradio's variable -> ours. Each holds for light and dark, as ours change with the mode.
_POINTS = {
    "body_background_fill": "paper",
    "body_text_color": "ink",
    "body_text_color_subdued": "soft",
    "background_fill_primary": "paper",
    "background_fill_secondary": "sheet",
    "block_background_fill": "paper",
    "block_border_color": "rule",
    "block_label_background_fill": "paper",
    "block_label_text_color": "soft",
    "block_title_text_color": "ink",
    "block_info_text_color": "soft",
    "border_color_primary": "rule",
    "border_color_accent": "accent",
    "color_accent": "accent",
    "color_accent_soft": "sheet",
    "panel_background_fill": "paper",
    "input_background_fill": "sheet",
    "input_background_fill_focus": "sheet",
    "input_border_color": "edge",
    "input_border_color_hover": "soft",
    "input_border_color_focus": "accent",
    "input_placeholder_color": "soft",
    "button_primary_background_fill": "ink",
    "button_primary_background_fill_hover": "accent",
    "button_primary_text_color": "paper",
    "button_primary_text_color_hover": "paper",
    "button_primary_border_color": "ink",
    "button_primary_border_color_hover": "accent",
    "button_secondary_background_fill": "paper",
    "button_secondary_background_fill_hover": "sheet",
    "button_secondary_text_color": "ink",
    "button_secondary_text_color_hover": "ink",
    "button_secondary_border_color": "edge",
    "button_secondary_border_color_hover": "ink",
    "slider_color": "ink",
    "loader_color": "accent",
    "link_text_color": "accent",
    "link_text_color_hover": "ink",
    "link_text_color_visited": "accent",
    "link_text_color_active": "ink",
    "error_text_color": "bad",
    "error_icon_color": "bad",
    "error_border_color": "bad",
    "error_background_fill": "paper",
    "accordion_text_color": "ink",
    "table_text_color": "ink",
    "table_border_color": "rule",
    "table_even_background_fill": "paper",
    "table_odd_background_fill": "sheet",
    "code_background_fill": "sheet",
    "checkbox_background_color": "paper",
    "checkbox_background_color_selected": "ink",
    "checkbox_border_color": "edge",
    "checkbox_border_color_selected": "ink",
    "checkbox_label_background_fill": "paper",
    "checkbox_label_background_fill_selected": "paper",
    "checkbox_label_text_color": "ink",
    "checkbox_label_text_color_selected": "ink",
}


def theme() -> Base:
    """Gradio's plainest theme with our colours, fonts and measures."""
    import gradio as gr

    sans = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "DejaVu Sans", "sans-serif"]
    mono = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]
    base = gr.themes.Base(
        font=sans,
        font_mono=mono,
        radius_size=gr.themes.sizes.radius_sm,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
    )
    colours = {
        f"{name}{mode}": f"var(--cs-{ours})" for name, ours in _POINTS.items() for mode in ("", "_dark")
    }
    measures = {
        "block_border_width": "0px",
        "block_shadow": "none",
        "block_padding": "0",
        "block_label_border_width": "0px",
        "block_title_text_size": "13px",
        "block_title_text_weight": "600",
        "block_info_text_size": "12.5px",
        "input_border_width": "1px",
        "input_radius": "6px",
        "input_padding": "10px 12px",
        "input_shadow": "none",
        "input_shadow_focus": "0 0 0 2px var(--cs-halo)",
        "button_border_width": "1px",
        "button_primary_shadow": "none",
        "button_primary_shadow_hover": "none",
        "button_primary_shadow_active": "none",
        "button_secondary_shadow": "none",
        "button_large_radius": "6px",
        "button_medium_radius": "6px",
        "button_small_radius": "6px",
        "button_large_text_weight": "600",
        "layout_gap": "16px",
        "form_gap_width": "0px",
        "shadow_drop": "none",
        "shadow_drop_lg": "0 6px 24px rgb(0 0 0 / 12%)",
        "shadow_inset": "none",
    }
    both = {"block_border_width", "block_shadow", "input_border_width", "button_border_width"}
    dark = {f"{name}_dark": measures[name] for name in both}
    known = vars(base)
    return base.set(**{name: value for name, value in (colours | measures | dark).items() if name in known})


def css() -> str:
    """The page's style sheet."""
    return "".join((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "tables.css"))


def head() -> str:
    """What goes into the page's head: its script, and what phones need to know."""
    script = "".join((_HERE / name).read_text(encoding="utf-8") for name in ("asked.js", "page.js"))
    return (
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<script>{script}</script>"
    )

"""A page of everything in each language: what publishing must lay out, whatever the catalogues hold."""

from typing import Any

import nbformat
from publish_books import SVG

from kpi_lib.display import Card, Cards, Column, Definition, Definitions, Finding, Note, Shown, Table
from kpi_lib.language import language
from kpi_lib.publish import page
from kpi_lib.units import printed

LEAD = {
    "en": "# Support\n\nIs the desk keeping its promises?",
    "ar": "# الدعم\n\nهل يفي فريق الدعم بوعوده للعملاء، وأين لا يفعل ذلك؟",
    "fa": "# پشتیبانی\n\nآیا میز خدمت به قول‌های خود عمل می‌کند، و کجا نمی‌کند؟",
    "ru": "# Поддержка\n\nВыполняет ли служба поддержки свои обещания?",
}
HEADING = {
    "en": "How long do customers wait?",
    "ar": "كم ينتظر العملاء؟",
    "fa": "مشتریان چه‌قدر منتظر می‌مانند؟",
    "ru": "Сколько ждут клиенты?",
}
FINDING = {
    "en": "First response time: 1 h 12 min, and the target (at most 30 min) was missed.",
    "ar": "وقت الاستجابة الأولى: ساعة و12 دقيقة، ولم يتحقق الهدف (30 دقيقة على الأكثر).",
    "fa": "زمان نخستین پاسخ: ۱ ساعت و ۱۲ دقیقه؛ به هدف (حداکثر ۳۰ دقیقه) نرسیدیم.",
    "ru": "Время первого ответа: 1 ч 12 мин, цель (не более 30 мин) не достигнута.",
}
TITLE = {
    "en": "First response time",
    "ar": "وقت الاستجابة الأولى",
    "fa": "زمان نخستین پاسخ",
    "ru": "Время первого ответа",
}
JUDGED = {
    "en": "✗ target missed (at most 30 min)",
    "ar": "✗ لم يتحقق الهدف (30 دقيقة على الأكثر)",
    "fa": "✗ هدف محقق نشد (حداکثر ۳۰ دقیقه)",
    "ru": "✗ цель не достигнута (не более 30 мин)",
}
MARK = {"en": "provisional", "ar": "مؤقت", "fa": "موقت", "ru": "предварительно"}
LIST = {
    "en": ("one **thing**", "another *thing*", "A quotation."),
    "ar": ("أمر **أول**", "أمر *ثانٍ*", "اقتباس قصير من أحد العملاء."),
    "fa": ("یک **چیز**", "چیزی *دیگر*", "نقل‌قولی کوتاه از یک مشتری."),
    "ru": ("одно **дело**", "другое *дело*", "Цитата."),
}
WAITS = {"phone": (45, 1204.0, -2.0), "chat": (361, 20.0, 1.5), "email": (7320, 300.0, None)}  # seconds, money, change


def waits(code: str) -> Table:
    """Return a table of three channels with a duration, an amount and a change each, as the language writes them."""
    to = language(code)
    rows = [
        [
            channel,
            printed(seconds, "seconds", language=to),
            printed(amount, "currency", "EUR", language=to),
            printed(moved, "points", language=to),
        ]
        for channel, (seconds, amount, moved) in WAITS.items()
    ]
    columns = [Column("Channel", "left"), Column("Wait"), Column("Value"), Column("Change")]
    return Table(TITLE[code], columns, rows, [f"* {MARK[code]}."])


def shown(code: str) -> list[Shown]:
    """Return cards, a finding, a table, definitions and a note."""
    to = language(code)
    fell = printed(-2, "points", language=to)
    card = Card(
        "first_response_time", TITLE[code], printed(72, "minutes", language=to), mark=MARK[code], change=[fell],
        judged=JUDGED[code], verdict="missed", note=FINDING[code], trend=[1, 2, None, 3, 4, 3.5],
    )  # fmt: skip
    defined = Definition(TITLE[code], FINDING[code], [(f"{MARK[code]}:", HEADING[code])], TITLE[code])
    other = Card("nps", "NPS", printed(36.9, "points", language=to), verdict="on_target", trend=[1, 2, 3])
    return [
        Cards([card, other, card, card]),
        Finding(FINDING[code], verdict="missed"),
        waits(code),
        Definitions([defined, defined]),
        Note(FINDING[code]),
    ]


def _list(code: str) -> str:
    one, other, quoted = LIST[code]
    return f"* {one}\n* {other}\n\n> {quoted}\n\n| {one} | {other} |\n|---|--:|\n| chat | 1 |\n\n`first_reply_at`"


def read(code: str, folder: Any, name: str = "support") -> page.Page:
    """Return a page with one of everything, read from an executed notebook."""
    to = language(code)
    texts = (LEAD[code], f"## {HEADING[code]}", f"## {HEADING[code]}\n\n{FINDING[code]}\n\n{_list(code)}")
    cells: list[Any] = [nbformat.v4.new_markdown_cell(text) for text in texts]
    outputs = [{"application/vnd.kpi+json": each.describe(), "text/html": each.html()} for each in shown(code)]
    made = [nbformat.v4.new_output("display_data", data=data) for data in outputs]
    figure = {"image/svg+xml": SVG, "application/vnd.kpi+json": {"type": "figure", "table": waits(code).describe()}}
    about = {"image/svg+xml": {"alt": FINDING[code]}}
    made.append(nbformat.v4.new_output("display_data", data=figure, metadata=about))
    made.append(nbformat.v4.new_output("stream", name="stdout", text="words = 1\n"))
    cells[2:2] = [nbformat.v4.new_code_cell("x", outputs=made)]
    path = folder / f"{name}.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return page.read(name, path, to)

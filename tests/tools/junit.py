"""Writing JUnit files, for the small checks beside this file."""
import pathlib
import re
from xml.sax.saxutils import escape, quoteattr

# Characters that XML 1.0 cannot hold.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udfff]")


def clean(text):
    return FORBIDDEN.sub("?", text)


def write(path, suite, cases):
    """cases: (name, state, text) with state passed, failed or skipped; text says why."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, state, text in cases:
        first = clean(text.strip().splitlines()[0]) if text.strip() else state
        body = ""
        if state == "failed":
            body = f"<failure message={quoteattr(first)}>{escape(clean(text))}</failure>"
        elif state == "skipped":
            body = f"<skipped message={quoteattr(first)}/>"
        rows.append(f"<testcase classname={quoteattr(suite)} name={quoteattr(clean(name))}>{body}</testcase>")
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuite name={quoteattr(suite)}>\n' + "\n".join(rows) + "\n</testsuite>\n"
    path.write_text(text, encoding="utf-8")

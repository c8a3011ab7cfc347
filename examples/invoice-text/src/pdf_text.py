"""Text of a PDF file, page by page."""

from __future__ import annotations

import io
import logging

from pypdf import PdfReader

PAGES_MAX = 50
CHARS_MAX = 1_000_000

# It tells about every oddity of a file; the answer says what matters.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


class PdfProblem(Exception):
    """The file cannot be read; `status` is that of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def text_of(data: bytes) -> list[str]:
    if not data.startswith(b"%PDF-"):
        raise PdfProblem(415, "the body is no PDF file: expected it to begin with %PDF-")
    try:
        return read_pages(PdfReader(io.BytesIO(data)))
    except PdfProblem:
        raise
    # A broken file leads the library into errors of every kind, and all are the file's fault.
    except Exception as error:
        print(f"unreadable: {type(error).__name__}: {error}")
        raise PdfProblem(422, "the PDF file is damaged and cannot be read") from error


def read_pages(reader: PdfReader) -> list[str]:
    if reader.is_encrypted:
        raise PdfProblem(422, "the PDF file is encrypted: expected one without a password")
    count = len(reader.pages)
    if count > PAGES_MAX:
        raise PdfProblem(422, f"expected at most {PAGES_MAX} pages, got {count}")
    pages: list[str] = []
    for page in reader.pages:
        pages.append(page.extract_text())
        if sum(map(len, pages)) > CHARS_MAX:
            raise PdfProblem(422, f"expected at most {CHARS_MAX} characters of text")
    if not any(page.strip() for page in pages):
        raise PdfProblem(422, "there is no text in it: a scan has to be recognised first")
    return pages

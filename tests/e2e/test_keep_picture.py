"""The button that keeps a picture: from the screen in Debian's Chromium to the message that the line hears."""

import time

import pytest

from sorter.model.condition import KeepRequest
from sorter.runtime.bus import Subscriber
from sorter.runtime.run_folder import RunPlan
from sorter.runtime.topics import KEEP

WORDS = {"en": "Keep this picture", "fr": "Garder cette image", "ar": "احفظ هذه الصورة"}
ANSWERS = {"en": "asked", "fr": "demandé", "ar": "أُرسل الطلب"}


@pytest.mark.parametrize("language", WORDS)
def test_the_picture_on_the_screen_is_asked_for(browser, url: str, plan: RunPlan, language: str) -> None:
    subscriber = Subscriber(plan.run_folder, (KEEP,))
    context = browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto(f"{url}/live?lang={language}")
    page.wait_for_selector("#stage[data-frame]")
    button = page.locator("#keep")
    assert button.text_content() == WORDS[language]
    subscriber.receive(200)
    before = int(page.get_attribute("#stage", "data-frame"))
    button.tap()
    received = [one.message for one in subscriber.receive(3000)]
    subscriber.close()
    after = int(page.get_attribute("#stage", "data-frame"))
    eventually(page, f"document.querySelector('#keep').textContent === '{ANSWERS[language]}'")
    context.close()
    (request,) = received
    assert isinstance(request, KeepRequest)
    assert before <= request.frame_id <= after
    assert request.who == "local"


def eventually(tab, expression: str, arg: object = None, timeout_ms: int = 8000) -> None:
    """Wait for something to be true on a page; asked from here, since its policy forbids the browser's own polling."""
    deadline_s = time.monotonic() + timeout_ms / 1000
    while not tab.evaluate(expression, arg):
        assert time.monotonic() < deadline_s, expression
        tab.wait_for_timeout(50)

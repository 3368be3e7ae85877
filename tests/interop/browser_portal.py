"""The three pages of `trousseau serve`, walked through as a person does, in headless Chromium.

Reads TROUSSEAU_BIN and TROUSSEAU_SHOTS; the keys are made here, and their codes are computed here
with Python's hmac, so that nothing of the server is taken on trust.
"""

import base64
import hashlib
import hmac
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

RATE = 20
SEEDS = [f"browser seed of 20 bytes {n}".encode() for n in range(3)]
SHOTS = pathlib.Path(os.environ["TROUSSEAU_SHOTS"])
passed = failed = 0


def check(what, condition):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    print(("ok    " if condition else "FAILED"), what)


def write_batch(folder):
    keys = "".join(
        f'<KeyPackage><DeviceInfo><Manufacturer>oath.ACME</Manufacturer><SerialNo>B{n:04}</SerialNo>'
        f'</DeviceInfo><Key Id="B{n:04}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp">'
        '<AlgorithmParameters><ResponseFormat Encoding="DECIMAL" Length="6"/></AlgorithmParameters>'
        f"<Data><Secret><PlainValue>{base64.b64encode(seed).decode()}</PlainValue></Secret>"
        "<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>60</PlainValue>"
        "</TimeInterval></Data></Key></KeyPackage>"
        for n, seed in enumerate(SEEDS)
    )
    (folder / "batch.xml").write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<KeyContainer Version="1.0" '
        f'xmlns="urn:ietf:params:xml:ns:keyprov:pskc">{keys}</KeyContainer>\n'
    )
    people = "".join(f"user{n},B{n:04}\n" for n in range(len(SEEDS)))
    (folder / "users.csv").write_text("user,serial\n" + people)


def code(n, step):
    digest = hmac.new(SEEDS[n], step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    value = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{value % 1_000_000:06}"


class Key:
    """A key in the hand: which number it shows, and waiting for the next."""

    def __init__(self, n, origin):
        self.n, self.origin, self.seen = n, origin, None

    def step(self):
        return int((self.origin + (time.time() - self.origin) * RATE) // 60)

    def read(self):
        self.seen = self.step()
        return code(self.n, self.seen)

    def wait_and_read(self):
        while self.step() == self.seen:
            time.sleep(0.02)
        return self.read()


def browser(folder, language="fr", dark=False):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--window-size=900,1000", f"--lang={language}", f"--user-data-dir={folder}",
    ):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": language})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.implicitly_wait(5)
    if dark:
        features = [{"name": "prefers-color-scheme", "value": "dark"}]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    return driver


def fill(driver, **fields):
    """Types into the fields with the keyboard, then presses Enter in the last."""
    for name, value in fields.items():
        element = driver.find_element(By.NAME, name)
        element.clear()
        element.send_keys(value)
    driver.find_element(By.CSS_SELECTOR, "button[type=submit]").click()


def heading(driver):
    return driver.find_element(By.TAG_NAME, "h1").text


def arrives(driver, path):
    """Whether the browser gets to `path`: a click does not wait for what it sets off."""
    deadline = time.time() + 5
    while time.time() < deadline:
        if re.sub(r"^https?://[^/]+", "", driver.current_url) == path:
            return True
        time.sleep(0.02)
    return False


def told(driver, path):
    """Whether the page at `path` comes with an error message."""
    found = driver.find_elements(By.CSS_SELECTOR, ".error[role=alert]")
    return len(found) == 1 and found[0].text != "" and arrives(driver, path)


def shot(driver, name):
    driver.save_screenshot(str(SHOTS / f"portal-{name}.png"))


def initialise(driver, url, key, pin, language="fr"):
    driver.get(url)
    check(f"{language}: the root leads to page 1", arrives(driver, "/login"))
    focused = driver.switch_to.active_element.get_attribute("name")
    check(f"{language}: the user id has the focus", focused == "user")
    shot(driver, f"{language}-1-login")
    first = key.read()
    fill(driver, user=f"user{key.n}", passcode=first)
    check(f"{language}: the first code leads to page 2", arrives(driver, "/new-pin"))
    shot(driver, f"{language}-2-new-pin")
    fill(driver, pin=pin, pin2=pin + "x")
    check(
        f"{language}: PINs that differ are refused with a message",
        told(driver, "/new-pin"),
    )
    shot(driver, f"{language}-2-new-pin-differ")
    fill(driver, pin=pin, pin2=pin)
    check(f"{language}: a PIN typed twice alike leads to page 3", arrives(driver, "/confirm"))
    shot(driver, f"{language}-3-confirm")
    fill(driver, passcode=pin + first)
    check(
        f"{language}: PIN and the used code are refused at page 3",
        told(driver, "/confirm"),
    )
    used = key.wait_and_read()
    fill(driver, passcode=pin + used)
    check(f"{language}: PIN and the next code lead to the portal", arrives(driver, "/portal"))
    shot(driver, f"{language}-4-portal")
    return used


def main():
    SHOTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_batch(folder)
        origin = int(time.time())
        server = subprocess.Popen(
            [
                os.environ["TROUSSEAU_BIN"], "serve", "--keys", folder / "batch.xml",
                "--roster", folder / "users.csv", "--listen", "127.0.0.1:0",
                "--clock-rate", str(RATE), "--clock-origin", str(origin),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        url = re.search(r"http://\S+", server.stderr.readline()).group()
        drivers = []
        try:
            driver = browser(folder / "fr")
            drivers.append(driver)
            key = Key(0, origin)
            used = initialise(driver, url, key, "é1$9")
            check("fr: the words of the leaflet", heading(driver) == "Accédez à vos applications")
            cookie = driver.get_cookie("trousseau_session")
            check("the cookie is HttpOnly and SameSite", cookie["httpOnly"] and cookie["sameSite"] == "Lax")
            driver.find_element(By.CSS_SELECTOR, "form[action='/logout'] button").click()
            check("logging out leads to page 1", arrives(driver, "/login"))
            driver.get(url + "portal")
            check("and the portal is closed", arrives(driver, "/login"))

            fill(driver, user="user0", passcode="é1$9" + used)
            check("the used code is refused at login", told(driver, "/login"))
            shot(driver, "fr-5-refused")
            fill(driver, user="user0", passcode="é1$9" + key.wait_and_read())
            check("the next one is good", arrives(driver, "/portal"))
            driver.back()
            driver.get(url + "new-pin")
            check("no page out of turn", arrives(driver, "/login"))
            log = [entry for entry in driver.get_log("browser") if "401" not in entry["message"]
                   and "422" not in entry["message"] and "favicon" not in entry["message"]]
            check(f"nothing is blocked or missing {log}", not log)

            driver = browser(folder / "en", "en", dark=True)
            drivers.append(driver)
            initialise(driver, url, Key(1, origin), "abcdef", "en")
            check("en: English for who asks for it", heading(driver) == "Your applications")

            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True})
            driver.get(url)
            wide = driver.execute_script("return document.documentElement.scrollWidth")
            check(f"a telephone needs no sideways scrolling ({wide} px)", wide <= 360)
            shot(driver, "en-6-telephone")
        finally:
            for driver in drivers:
                driver.quit()
            server.send_signal(signal.SIGTERM)
            rest = server.communicate(timeout=10)[1]
        check("the server ends with exit code 0", server.returncode == 0)
        check("and says what it did", "3 logins accepted, 2 first codes, 2 PINs chosen" in rest)
        print(rest.strip())


main()
print(f"{passed} passed, {failed} failed")
raise SystemExit(failed > 0)

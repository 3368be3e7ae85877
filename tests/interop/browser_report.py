"""The HTML report in headless Chromium, and the HdrHistogram files in Python's hdrhistogram.

Reads TROUSSEAU_REPORT, the folder of a finished run with its reports, and TROUSSEAU_SHOTS.
"""

import base64
import json
import os
import pathlib
import tempfile

from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

FOLDER = pathlib.Path(os.environ["TROUSSEAU_REPORT"]).resolve()
SHOTS = pathlib.Path(os.environ["TROUSSEAU_SHOTS"])
passed = failed = 0


def check(what, condition):
    global passed, failed
    passed, failed = passed + bool(condition), failed + (not condition)
    print(("ok    " if condition else "FAILED"), what)


def browser(folder):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--window-size=1100,1000", f"--user-data-dir={folder}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))


def emulate(driver, media="", **features):
    features = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def save(name, encoded):
    (SHOTS / name).write_bytes(base64.b64decode(encoded))


def whole_page(driver, name):
    taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
    save(f"report-{name}.png", taken["data"])


def luminance(colour):
    red, green, blue = (int(part) for part in colour.split("(")[1].split(")")[0].split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


def background(driver):
    return luminance(driver.execute_script("return getComputedStyle(document.body).backgroundColor"))


def ink(driver):
    return luminance(driver.execute_script("return getComputedStyle(document.body).color"))


def the_page(driver, report):
    page = FOLDER / "report.html"
    driver.get(page.as_uri())
    run = report["runs"][0]
    check("the title names scenario, target and outcome",
          all(word in driver.title for word in (run["scenario"], run["target"], report["outcome"])))
    verdict = driver.find_element(By.ID, "verdict")
    check("the verdict is the headline", verdict.find_element(By.TAG_NAME, "b").text.rstrip(".")
          == report["headline"].rstrip("."))
    check("the verdict is seen without scrolling", verdict.location["y"] < 300)
    charts = driver.find_elements(By.CSS_SELECTOR, "svg.chart")
    check("there are six charts", len(charts) == 6)
    for chart in charts:
        title = chart.find_element(By.CSS_SELECTOR, "title").get_attribute("textContent")
        paths = chart.find_elements(By.CSS_SELECTOR, "path.bar, path.line")
        drawn = [path.get_attribute("d") for path in paths]
        check(f"«{title}» is drawn and inside its frame",
              drawn and all(len(d) > 10 and "NaN" not in d for d in drawn)
              and chart.size["width"] > 500 and driver.execute_script(
                  "const s = arguments[0].viewBox.baseVal;"
                  "return [...arguments[0].querySelectorAll('path,text')].every(e => {"
                  "const b = e.getBBox(); return b.x >= -1 && b.x + b.width <= s.width + 1"
                  " && b.y >= -1 && b.y + b.height <= s.height + 1})", chart))
        check(f"«{title}» is named and described for those who do not see it",
              chart.get_attribute("role") == "img" and len(chart.accessible_name) > 5
              and len(chart.find_element(By.CSS_SELECTOR, "desc").get_attribute("textContent")) > 20)
    listed = driver.find_elements(By.CSS_SELECTOR, "table.long tbody tr")
    check("contradictions are listed", len(listed) == min(500, len(report["contradictions"])))
    check("nothing is wider than the page", driver.execute_script(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def all_looks(driver):
    emulate(driver, prefers_color_scheme="light")
    light, light_ink = background(driver), ink(driver)
    whole_page(driver, "light")
    emulate(driver, prefers_color_scheme="dark")
    dark, dark_ink = background(driver), ink(driver)
    whole_page(driver, "dark")
    check("dark mode is dark, and both can be read",
          light > 0.9 > 0.2 > dark and light - light_ink > 0.6 and dark_ink - dark > 0.6)
    emulate(driver, media="print", prefers_color_scheme="dark")
    check("print is black on white, also from dark mode", background(driver) > 0.99 and ink(driver) < 0.1)
    emulate(driver)
    printed = driver.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    save("report-print.pdf", printed["data"])
    check("it prints", len(printed["data"]) > 10_000)
    driver.set_window_size(420, 900)
    check("a narrow window scrolls tables only", driver.execute_script(
        "return document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
    whole_page(driver, "narrow")


def quiet(driver):
    said = [entry for entry in driver.get_log("browser") if entry["level"] != "INFO"]
    check(f"the console is quiet {said if said else ''}", not said)
    asked = set()
    for entry in driver.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        # Of this page alone: the browser's own start page asks for much.
        if message["method"] == "Network.requestWillBeSent" and (
                message["params"]["documentURL"].startswith((FOLDER / "report.html").as_uri())):
            asked.add(message["params"]["request"]["url"])
    page = (FOLDER / "report.html").as_uri()
    others = sorted(url for url in asked if url != page and not url.startswith("data:"))
    check(f"nothing is fetched {others if others else ''}", page in asked and not others)


def histograms(report):
    counts = {}
    reference = HdrHistogram(1, 3_600_000_000, 2)
    reader = HistogramLogReader(str(FOLDER / "run.hlog"), reference)
    while (interval := reader.get_next_interval_histogram()) is not None:
        tag = interval.get_tag()
        total = counts.setdefault(tag, HdrHistogram(1, 3_600_000_000, 2))
        total.add(interval)
    steps = {step["step"]: step["latency"] for step in report["steps"] if step["latency"]}
    check("Python's hdrhistogram finds every step in the interval log", set(counts) == set(steps))
    for step, latency in steps.items():
        total = counts.get(step)
        check(f"{step}: as many values as the report says",
              total is not None and total.get_total_count() == latency["count"])
        # The two libraries round the rank of a percentile differently: one value more or less.
        # Their buckets are 1 % wide.
        near = [99 + off * 100 / latency["count"] for off in (-1.5, 1.5)]
        low, high = (total.get_value_at_percentile(min(max(p, 0), 100)) / 1000 for p in near)
        check(f"{step}: the same 99th percentile, {latency['p99_ms']} ms",
              low * 0.98 <= latency["p99_ms"] <= high * 1.02)
        last = [line.split() for line in (FOLDER / f"latency-{step}.hgrm").read_text().splitlines()
                if line and not line.startswith("#")][-1]
        check(f"{step}: the percentile file ends at the maximum and the count",
              abs(float(last[0]) - latency["max_ms"]) < 0.002 and int(last[2]) == latency["count"])


def main():
    SHOTS.mkdir(parents=True, exist_ok=True)
    report = json.loads((FOLDER / "report.json").read_text())
    with tempfile.TemporaryDirectory() as profile:
        driver = browser(profile)
        try:
            the_page(driver, report)
            all_looks(driver)
            quiet(driver)
        finally:
            driver.quit()
    histograms(report)
    print(f"{passed} passed, {failed} failed")


main()
raise SystemExit(failed > 0)

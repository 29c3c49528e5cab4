# SPDX-License-Identifier: MIT
"""Runs a headless Chromium with a temporary profile and without access to the network."""

import json
import os
import pathlib
import shutil
import tempfile

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb"]


class Browser:
    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hotlane-page-"))
        os.environ["no_proxy"] = "localhost,127.0.0.1"  # the driver runs on this machine, whatever proxy is set
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in [*ARGUMENTS, f"--user-data-dir={self.directory}/user"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    def close(self):
        self.driver.quit()
        shutil.rmtree(self.directory, ignore_errors=True)

    def tell(self, command, **parameters):
        return self.driver.execute_cdp_cmd(command, parameters)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def settle(self):
        """Waits until all pending changes are painted."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(() => done()))")

    def resize(self, width, height=900, scale=1):
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
                  mobile=False)
        self.settle()

    def prefer(self, scheme):
        self.tell("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.settle()

    def open(self, file):
        self.messages()
        self.requests()
        self.driver.get(file.as_uri())
        self.settle()

    def messages(self):
        """Returns the page's warnings and errors since the last call, without those that reading pixels causes."""
        messages = (entry["message"] for entry in self.driver.get_log("browser"))
        return [message for message in messages if "willReadFrequently" not in message]

    def requests(self):
        """Returns the addresses that the page requested since the last call."""
        events = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

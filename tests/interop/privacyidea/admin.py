"""What an administrator does at a privacyIDEA over REST, standard library only: for the other scripts
of this folder to import."""

import json
import urllib.error
import urllib.request
import uuid


class Admin:
    """Logged in with the password in FOLDER/admin.password."""

    def __init__(self, url, folder):
        self.url, self.headers = url, {}
        password = open(f"{folder}/admin.password").read().strip()
        token = self.call("/auth", {"username": "admin", "password": password})["token"]
        self.headers["PI-Authorization"] = token

    def call(self, path, data=None, method=None, kind="application/json"):
        """The value of the answer; a refusal is an error that shows it."""
        body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
        request = urllib.request.Request(self.url + path, body, self.headers, method=method)
        if body is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                result = json.load(answer)["result"]
        except urllib.error.HTTPError as refused:
            result = json.load(refused)["result"]
        if result["status"] is not True:
            raise SystemExit(f"{path}: {result}")
        return result["value"]

    def load(self, text, **fields):
        """Imports `text` as a file; how many keys were taken."""
        mark = uuid.uuid4().hex
        parts = "".join(
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        )
        body = (
            f'{parts}--{mark}\r\nContent-Disposition: form-data; name="file"; filename="import"\r\n'
            f"Content-Type: text/plain\r\n\r\n{text}\r\n--{mark}--\r\n"
        )
        kind = f"multipart/form-data; boundary={mark}"
        return self.call("/token/load/import", body.encode(), "POST", kind)["n_imported"]

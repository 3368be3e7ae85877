"""Helps pskc_signatures.sh: documents of every spelling, templates for xmlsec1, signxml."""

import json
import re
import subprocess
import sys

DS = "http://www.w3.org/2000/09/xmldsig#"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
PSKC = "urn:ietf:params:xml:ns:keyprov:pskc"
FORMS = {
    "inclusive": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "exclusive": "http://www.w3.org/2001/10/xml-exc-c14n#",
    "prefixes": "http://www.w3.org/2001/10/xml-exc-c14n#",
    "c11": "http://www.w3.org/2006/12/xml-c14n11",
    "comments": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
}


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read()


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def spell(path):
    """The same keys in other spellings."""
    text = read(path)
    pretty = subprocess.run(["xmllint", "--format", path], capture_output=True, check=True)
    write("pretty.xml", pretty.stdout.decode())
    # Under a prefix of its own, and every other namespace where it is used.
    prefixed = re.sub(r"<(/?)([A-Za-z0-9]+)(?=[ />])", r"<\1p:\2", text)
    prefixed = prefixed.replace(f'xmlns="{PSKC}"', f'xmlns:p="{PSKC}"')
    prefixed = prefixed.replace(f' xmlns:ds="{DS}"', "").replace(f' xmlns:xenc="{XENC}"', "")
    prefixed = re.sub(r"<ds:(\w+)", rf'<ds:\1 xmlns:ds="{DS}"', prefixed)
    prefixed = re.sub(r"<xenc:(\w+)", rf'<e:\1 xmlns:e="{XENC}"', prefixed)
    prefixed = prefixed.replace("</xenc:", "</e:")
    write("prefixed.xml", prefixed)
    # Comments, CDATA, processing instructions, references, attributes in single quotes and out of
    # order, useless declarations, an id.
    odd = text.replace("<KeyContainer ", '<?style a="b"   ?><!-- 1 -->\n<KeyContainer xml:lang="fr" Id=\'all\' ', 1)
    odd = odd.replace("</KeyContainer>", "<!-- last --></KeyContainer><?end?>\n<!-- after -->")
    odd = odd.replace("Université", "<![CDATA[Universit]]>&#xE9;<!-- c -->")
    odd = re.sub(r'<Key Id="([^"]*)" Algorithm="([^"]*)">',
                 r"<Key\n   Algorithm='\2'\tId = '\1'   xmlns:unused='urn:unused' >", odd)
    odd = odd.replace("<KeyPackage>", '<KeyPackage xmlns:ds="urn:other" xmlns="%s">' % PSKC)
    odd = odd.replace("&quot;co&quot;", "&#34;co\"&#9;").replace("<DeviceInfo>", "<DeviceInfo\n>\n\t")
    odd = odd.replace("Encoding=\"DECIMAL\"/>", "Encoding='DECIMAL'   />")
    write("odd.xml", odd)
    write("crlf.xml", read("pretty.xml").replace("\n", "\r\n"))


def template(source, target, signature, digest, info, form):
    """The document with an empty signature for xmlsec1 to fill."""
    method = {"rsa-sha1": f"{DS}rsa-sha1"}.get(signature, f"{MORE}{signature}")
    hashes = {"sha1": f"{DS}sha1", "sha256": f"{XENC}sha256", "sha384": f"{MORE}sha384",
              "sha512": f"{XENC}sha512"}
    transforms = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>\n'
    if form == "prefixes":
        transforms += (f'<ds:Transform Algorithm="{FORMS[form]}"><ic:InclusiveNamespaces '
                       f'xmlns:ic="{FORMS[form]}" PrefixList="ds xenc #default p"/></ds:Transform>')
    elif form == "xpath":
        transforms += ('<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116">'
                       "<ds:XPath>not(ancestor-or-self::*[local-name()='Manufacturer'])</ds:XPath>"
                       "</ds:Transform>")
    elif form != "none":
        transforms += f'<ds:Transform Algorithm="{FORMS[form]}"/>'
    text = read(source)
    # An inclusive SignedInfo would inherit xml:lang, which trousseau refuses; an id is referred to.
    if info != "exclusive":
        text = text.replace(' xml:lang="fr"', "")
    # xmlsec1 knows the attribute for an id from a DTD alone, so the root is named by the document.
    data = "" if signature.startswith("hmac") else (
        "<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>")
    element = f"""<ds:Signature xmlns:ds="{DS}">
 <ds:SignedInfo>
  <ds:CanonicalizationMethod Algorithm="{FORMS[info]}"/>
  <ds:SignatureMethod Algorithm="{method}"/>
  <ds:Reference URI="">
   <ds:Transforms>{transforms}</ds:Transforms>
   <ds:DigestMethod Algorithm="{hashes[digest]}"/>
   <ds:DigestValue/>
  </ds:Reference>
 </ds:SignedInfo>
 <ds:SignatureValue/>
 {data}
</ds:Signature>"""
    end = re.search(r"</(p:)?KeyContainer>", text).start()
    write(target, text[:end] + element + text[end:])


def tamper(source, target):
    """One character of one model changed."""
    text = read(source)
    changed = text.replace("K&lt;60", "K&lt;61", 1)
    assert changed != text, "nothing was changed"
    write(target, changed)


def strip(source, target):
    write(target, re.sub(r"<ds:Signature .*</ds:Signature>", "", read(source), flags=re.S))


def wrap(source, target):
    """The container with its signature put into another, whose keys nobody signed."""
    text = read(source)
    body = text[text.index("<KeyContainer"):]
    head, package = body[:body.index("<KeyPackage>")], re.search(r"<KeyPackage>.*?</KeyPackage>", body)[0]
    evil = package.replace("oath.ACME", "oath.EVIL")
    write(target, head + evil + "<Extensions>" + body + "</Extensions></KeyContainer>")


def sign(source, target, key, certificate):
    from lxml import etree
    from pskc.signature import sign_x509
    tree = etree.parse(source).getroot()
    algorithm = "ecdsa-sha256" if key.startswith("ec") else "rsa-sha256"
    signed = sign_x509(tree, open(key, "rb").read(), open(certificate).read(), algorithm=algorithm)
    write(target, etree.tostring(signed, encoding="unicode"))


def verify(path, certificate):
    """By python-pskc's own verification, which is signxml's; what it calls signed is the file."""
    from lxml import etree
    from pskc.signature import verify_x509
    signed = verify_x509(etree.parse(path), certificate=open(certificate).read())
    assert etree.QName(signed).localname == "KeyContainer", signed
    keys = len(list(signed.iter(f"{{{PSKC}}}KeyPackage")))
    assert keys == read(path).count("Key>") // 1 or keys > 0, keys


def unhex(source, target):
    open(target, "wb").write(bytes.fromhex(read(source)))


def gcm_key(bits, source):
    print((read(source) * 2)[: int(bits) // 4], end="")


def values(path):
    return re.findall(r"<SerialNo>(.*?)</SerialNo>.*?<EncryptedValue>(.*?)</EncryptedValue>", read(path), re.S)


def secrets(path):
    with open(path) as lines:
        return {key["serial"]: key["secret"] for key in map(json.loads, lines)}


def gcm_decrypt(folder, key):
    expected = secrets(f"{folder}/keys.jsonl")
    found = values(f"{folder}/batch.xml")
    assert len(found) == len(expected) == 20, len(found)
    for serial, value in found:
        write("value.xml", f'<xenc:EncryptedData xmlns:xenc="{XENC}">{value}</xenc:EncryptedData>')
        run = subprocess.run(["xmlsec1", "--decrypt", "--aeskey", key, "value.xml"], capture_output=True)
        assert run.stdout.hex() == expected[serial], (serial, run)


def gcm_encrypt(folder, key, bits):
    """Our batch with every value made anew by xmlsec1, of the same secrets in reverse."""
    text = read(f"{folder}/batch.xml")
    wanted = {}
    for serial, value in values(f"{folder}/batch.xml"):
        secret = bytes.fromhex(secrets(f"{folder}/keys.jsonl")[serial])[::-1]
        wanted[serial] = secret.hex()
        open("secret.bin", "wb").write(secret)
        write("value.tmpl", f'<xenc:EncryptedData xmlns:xenc="{XENC}"><xenc:EncryptionMethod Algorithm='
              f'"http://www.w3.org/2009/xmlenc11#aes{bits}-gcm"/><xenc:CipherData><xenc:CipherValue/>'
              "</xenc:CipherData></xenc:EncryptedData>")
        run = subprocess.run(["xmlsec1", "--encrypt", "--aeskey", key, "--binary-data", "secret.bin", "value.tmpl"],
                             capture_output=True, check=True)
        new = re.search(r"<xenc:EncryptedData[^>]*>(.*)</xenc:EncryptedData>", run.stdout.decode(), re.S)[1]
        text = text.replace(value, new)
    write(f"{folder}/theirs.xml", text)
    write(f"{folder}/wanted.json", json.dumps(wanted))


def gcm_same(folder):
    assert secrets(f"{folder}/theirs.jsonl") == json.loads(read(f"{folder}/wanted.json"))


globals()[sys.argv[1].replace("-", "_")](*sys.argv[2:])

#!/bin/sh
# Signatures, and values under AES-GCM, against xmlsec1, pskctool and signxml (of python-pskc): each
# verifies what trousseau signs, trousseau verifies what each of them signs, and every change is
# refused.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with python-pskc 1.4 and signxml 5.2
# and xmlsec1, xmllint (Debian package libxml2-utils), pskctool and openssl in the path.
# shellcheck source=tests/interop/pskc/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/pskc/lib.sh"
python() { "$TROUSSEAU_VENV/bin/python" "$here/pskc_signatures_peer.py" "$@"; }
ours() { "$TROUSSEAU_BIN" inspect "$1" --transport-key-file key.hex; }
trusted() { # file, certificate: the certificate is the signer's, and the keys are read
    "$TROUSSEAU_BIN" inspect "$1" --transport-key-file key.hex --require-signature "$2" >said 2>err &&
        cat said err && grep -q 'trusted: the certificate required' said
}
warned() { trusted "$@" && grep -q 'warning: .* rests on SHA-1' err; }
refused() { # file, words, certificate: refused with exit code 2 and these words, whether or not a
    # signature is required
    for more in "" "--require-signature ${3:-rsa.crt}"; do
        # shellcheck disable=SC2086
        "$TROUSSEAU_BIN" inspect "$1" --transport-key-file key.hex $more >said 2>err
        code=$?
        cat err
        [ "$code" -eq 2 ] || return 1
        grep -q "$2" err || return 1
    done
}
xmlsec() { xmlsec1 --verify --trusted-pem "$2" "$1" 2>&1 | grep -q '^OK$'; }
pskctool_verifies() { pskctool --verify --verify-crt "$2" "$1" 2>/dev/null | grep -q '^OK$'; }

printf 00112233445566778899aabbccddeeff >key.hex
printf '\000\021\042\063\104\125\146\167\210\231\252\273\314\335\356\377' >key.bin
openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt -days 30 \
    -subj "/CN=RSA Signer" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ec.key -out ec.crt \
    -days 30 -subj "/CN=EC Signer" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout p384.key \
    -out p384.crt -days 30 -subj "/CN=P-384 Signer" 2>/dev/null
mint() { # further options
    "$TROUSSEAU_BIN" mint --count 40 --serial-prefix 'S<&>' --manufacturer oath.ACME \
        --model "K<60> & \"co\" it's" --issuer 'Université' --transport-key-file key.hex "$@"
}

echo "--- what trousseau signs"
for kind in rsa ec; do
    for how in "" "--encryption aes-gcm" "--algorithm hotp --digits 8"; do
        name=$kind$(printf %s "$how" | tr -dc a-z0-9)
        # shellcheck disable=SC2086
        check "mint $kind $how" mint $how --sign-key-file $kind.key --sign-cert $kind.crt \
            --out "$name.xml"
        check "  xmlsec1 verifies it" xmlsec "$name.xml" $kind.crt
        check "  pskctool verifies it" pskctool_verifies "$name.xml" $kind.crt
        check "  pskctool finds it valid" valid "$name.xml"
        check "  signxml verifies it" python verify "$name.xml" $kind.crt
        check "  trousseau trusts it" trusted "$name.xml" $kind.crt
    done
done
check "export signs under another key" "$TROUSSEAU_BIN" export rsa.xml \
    --transport-key-file key.hex --format pskc --out-new-transport-key new.hex \
    --sign-key-file ec.key --sign-cert ec.crt --out exported.xml
check "  xmlsec1 verifies it" xmlsec exported.xml ec.crt
check "mint a passphrase's, signed" "$TROUSSEAU_BIN" mint --count 3 --serial-prefix P \
    --passphrase-file key.hex --sign-key-file ec.key --sign-cert ec.crt --out passphrase.xml
check "  xmlsec1 verifies it" xmlsec passphrase.xml ec.crt
check "mint a certificate's, signed" "$TROUSSEAU_BIN" mint --count 3 --serial-prefix C \
    --recipient rsa.crt --sign-key-file ec.key --sign-cert ec.crt --out recipient.xml
check "  xmlsec1 verifies it" xmlsec recipient.xml ec.crt
check "mint a set, each file signed" mint --split-rows 15 --sign-key-file rsa.key \
    --sign-cert rsa.crt --out set/part.xml
for part in set/part-0001.xml set/part-0002.xml set/part-0003.xml; do
    check "  xmlsec1 verifies $part" xmlsec $part rsa.crt
done
check "mint a compressed one" mint --sign-key-file rsa.key --sign-cert rsa.crt --out zipped.xml.gz
gzip -dc zipped.xml.gz >unzipped.xml
check "  xmlsec1 verifies what is in it" xmlsec unzipped.xml rsa.crt
check "  trousseau verifies it as it is" trusted zipped.xml.gz rsa.crt

echo "--- signatures beside files"
check "mint with one beside it" mint --sign-key-file rsa.key --sign-cert rsa.crt --sign-detached \
    --out beside.xml
check "  xmlsec1 verifies it" xmlsec beside.xml.sig rsa.crt
by_openssl() { # as docs/pskc.md has it
    sed -n 's/.*\(<ds:SignedInfo.*<\/ds:SignedInfo>\).*/\1/p' "$1.sig" | tr -d '\n' >info &&
        sed -n 's/.*<ds:SignatureValue>\(.*\)<\/ds:SignatureValue>.*/\1/p' "$1.sig" |
        openssl base64 -d -A >value &&
        openssl x509 -in rsa.crt -pubkey -noout >public.pem &&
        openssl dgst -sha256 -verify public.pem -signature value info &&
        digest=$(openssl dgst -sha256 -binary "$1" | openssl base64 -A) &&
        grep -qF "<ds:DigestValue>$digest</ds:DigestValue>" info
}
check "  openssl verifies it" by_openssl beside.xml
check "  trousseau verifies it" "$TROUSSEAU_BIN" inspect beside.xml --transport-key-file key.hex \
    --detached-signature beside.xml.sig --require-signature rsa.crt
check "sign a CSV" sh -c 'printf "a,b\n" >"x y.csv"; "$TROUSSEAU_BIN" sign "x y.csv" --detached \
    --sign-key-file ec.key --sign-cert ec.crt'
check "  xmlsec1 verifies it" xmlsec "x y.csv.sig" ec.crt
check "mint a set with one for all" mint --split-rows 15 --sign-key-file rsa.key \
    --sign-cert rsa.crt --sign-detached --out all/part.xml
check "  xmlsec1 verifies all files of it" sh -c 'cd all && xmlsec1 --verify --trusted-pem ../rsa.crt \
    manifest.json.sig 2>&1 | grep "References (ok/all): 4/4"'
printf ' ' >>all/part-0002.xml
xmlsec_refuses() { # for the digest of what it refers to, not for another reason
    (cd all && xmlsec1 --verify --trusted-pem ../rsa.crt manifest.json.sig) >said 2>&1
    [ $? -eq 1 ] || return 1
    grep -q '^FAIL$' said && grep -q 'data and digest do not match' said
}
check "  xmlsec1 refuses a changed one" xmlsec_refuses

echo "--- what others sign, over documents of every spelling"
mint --out plain.xml 2>/dev/null
python spell plain.xml
for document in plain pretty prefixed odd crlf; do
    check "read $document.xml unsigned" ours $document.xml
    check "  trousseau signs it" "$TROUSSEAU_BIN" sign $document.xml --sign-key-file ec.key \
        --sign-cert ec.crt --out ours-$document.xml
    check "    xmlsec1 verifies it" xmlsec ours-$document.xml ec.crt
    # signxml forgets the processing instructions outside of the root, which are part of a document.
    if [ $document != odd ]; then
        check "    signxml verifies it" python verify ours-$document.xml ec.crt
    fi
    for info in inclusive exclusive c11 comments; do
        for form in none inclusive exclusive prefixes c11 comments; do
            name=$document-$info-$form
            python template $document.xml "$name.tmpl" rsa-sha256 sha256 $info $form
            xmlsec1 --sign --privkey-pem rsa.key,rsa.crt --output "$name.xml" "$name.tmpl" 2>/dev/null
            check "  xmlsec1 signs it: SignedInfo $info, reference $form" trusted "$name.xml" rsa.crt
            python tamper "$name.xml" tampered.xml
            check "    changed" refused tampered.xml 'was changed after it was signed'
        done
    done
done
for signature in rsa-sha1 rsa-sha256 rsa-sha384 rsa-sha512 ecdsa-sha256 ecdsa-sha384; do
    for digest in sha1 sha256 sha384 sha512; do
        key=rsa
        [ $signature = ecdsa-sha256 ] && key=ec
        [ $signature = ecdsa-sha384 ] && key=p384
        name=$signature-$digest
        python template pretty.xml $name.tmpl $signature $digest exclusive none
        xmlsec1 --sign --privkey-pem $key.key,$key.crt --output $name.xml $name.tmpl 2>/dev/null
        how=trusted
        case $name in *sha1*) how=warned ;; esac
        check "xmlsec1 signs with $signature over $digest ($how)" $how $name.xml $key.crt
        # On its way only what is signed as here is verified; of the rest it is said.
        words='needs a second look'
        [ $digest = sha256 ] && words='whole, but not trusted'
        check "  from a pipe" sh -c '"$TROUSSEAU_BIN" inspect - --transport-key-file key.hex \
            <'$name'.xml 2>&1 | grep "'"$words"'"'
    done
done
for key in rsa ec; do
    check "signxml signs with $key" python sign plain.xml signxml-$key.xml $key.key $key.crt
    check "  trousseau trusts it" trusted signxml-$key.xml $key.crt
    python tamper signxml-$key.xml tampered.xml
    check "  changed" refused tampered.xml 'was changed after it was signed' $key.crt
done
# pskctool signs what it understood, which encrypted secrets are not: so in clear.
"$TROUSSEAU_BIN" export plain.xml --transport-key-file key.hex --format pskc --for multiotp \
    --out clear.xml 2>/dev/null
check "pskctool signs a batch in clear" sh -c 'pskctool --sign --sign-key rsa.key --sign-crt rsa.crt \
    clear.xml >pskctool.xml 2>/dev/null; grep -q rsa-sha1 pskctool.xml'
"$TROUSSEAU_BIN" inspect pskctool.xml --require-signature rsa.crt >said 2>err
cat said err >log
check "  trousseau trusts it" grep -q 'trusted: the certificate required' said
check "  and warns" grep -q 'warning: .* rests on SHA-1' err
python tamper pskctool.xml tampered.xml
"$TROUSSEAU_BIN" inspect tampered.xml --require-signature rsa.crt >said 2>err
check "  changed" grep -q 'was changed after it was signed' err

echo "--- what must be refused"
python template plain.xml hmac.tmpl hmac-sha256 sha256 exclusive none
xmlsec1 --sign --hmackey key.bin --output hmac.xml hmac.tmpl 2>/dev/null
check "an HMAC of xmlsec1's" refused hmac.xml 'the signature is an HMAC'
openssl req -x509 -newkey rsa:1024 -nodes -keyout weak.key -out weak.crt -days 30 \
    -subj "/CN=Weak" 2>/dev/null
python template plain.xml weak.tmpl rsa-sha256 sha256 exclusive none
xmlsec1 --sign --privkey-pem weak.key,weak.crt --output weak.xml weak.tmpl 2>/dev/null
check "a key of 1024 bits" refused weak.xml 'has 1024 bits'
python template plain.xml xpath.tmpl rsa-sha256 sha256 exclusive xpath
xmlsec1 --sign --privkey-pem rsa.key,rsa.crt --output xpath.xml xpath.tmpl 2>/dev/null
check "xmlsec1 takes what an XPath hides" sh -c 'python3 -c "
s=open(\"xpath.xml\").read(); open(\"hidden.xml\",\"w\").write(s.replace(\"oath.ACME\",\"oath.EVIL\"))" &&
    xmlsec1 --verify --trusted-pem rsa.crt hidden.xml 2>&1 | grep "^OK$"'
check "  trousseau refuses the transform" refused hidden.xml 'uses the transform XPath'
python wrap rsa.xml wrapped.xml
"$TROUSSEAU_BIN" inspect wrapped.xml --transport-key-file key.hex \
    --require-signature rsa.crt >said 2>err
check "the signed file within another" grep -q 'a Signature inside <Extensions>' err
check "  without that, it is an unsigned file" sh -c '"$TROUSSEAU_BIN" inspect wrapped.xml \
    --transport-key-file key.hex >said && grep -q "wrapped.xml: 1 key" said && ! grep -q signature said'
python strip rsa.xml stripped.xml
"$TROUSSEAU_BIN" inspect stripped.xml --transport-key-file key.hex \
    --require-signature rsa.crt >said 2>err
check "a signature taken away" grep -q 'is not signed' err
check "signed by somebody else" sh -c '! "$TROUSSEAU_BIN" inspect rsa.xml --transport-key-file \
    key.hex --require-signature ec.crt 2>err && grep -q "is signed by CN=RSA Signer" err'

echo "--- AES-GCM"
for bits in 128 192 256; do
    python gcm-key $bits key.hex >gcm.hex
    xxd -r -p gcm.hex >gcm.bin 2>/dev/null || python unhex gcm.hex gcm.bin
    mkdir -p gcm$bits
    check "mint AES-$bits-GCM" "$TROUSSEAU_BIN" mint --count 20 --serial-prefix G \
        --encryption aes-gcm --transport-key-file gcm.hex --out gcm$bits/batch.xml
    "$TROUSSEAU_BIN" inspect gcm$bits/batch.xml --transport-key-file gcm.hex --json \
        --reveal-secrets >gcm$bits/keys.jsonl
    check "  xmlsec1 decrypts the same secrets" python gcm-decrypt gcm$bits gcm.bin
    check "xmlsec1 encrypts with AES-$bits-GCM" python gcm-encrypt gcm$bits gcm.bin $bits
    "$TROUSSEAU_BIN" inspect gcm$bits/theirs.xml --transport-key-file gcm.hex --json \
        --reveal-secrets >gcm$bits/theirs.jsonl
    check "  trousseau reads the same secrets" python gcm-same gcm$bits
done

closing

#!/bin/sh
# Files from before RFC 6030, files of vendors, and files in other encodings: python-pskc and
# trousseau read the same keys in them (id, serial number, algorithm, secret, counter, interval,
# digits), and what trousseau writes of them as RFC 6030 has the same keys for python-pskc.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with python-pskc 1.4
# and pskctool (Debian package pskctool) and iconv in the path.
# shellcheck source=tests/interop/pskc/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/pskc/lib.sh"
vectors=$here/../vectors
python() { "$TROUSSEAU_VENV/bin/python" "$here/pskc_dialects_peer.py" "$@"; }
same() { # file, key option and key file or nothing: both readers give the same keys
    "$TROUSSEAU_BIN" inspect --json --reveal-secrets --allow-unauthenticated "$@" >ours.json &&
        python normalise <ours.json >ours.txt && python read "$@" >theirs.txt &&
        test -s ours.txt && diff ours.txt theirs.txt
}
refused() { # words of the message, arguments
    words=$1
    shift
    "$TROUSSEAU_BIN" "$@" >out 2>err
    test $? -eq 2 && grep -qF "$words" err && ! test -s out
}
again() { # file, key option and key file or nothing: what is written of it has the same keys
    file=$1
    shift
    rm -f again.xml again.hex
    "$TROUSSEAU_BIN" export "$file" "$@" --allow-unauthenticated --format pskc --out again.xml \
        --out-new-transport-key again.hex &&
        python read "$file" "$@" >before.txt &&
        python read again.xml --transport-key-file again.hex >after.txt &&
        test -s before.txt && diff before.txt after.txt &&
        test "$(pskctool --validate again.xml 2>/dev/null)" = OK
}

# Files whose keys are not all fit for a server: two on one serial number, or none.
shared="draft-ietf-keyprov-pskc-02/figure3.pskcxml draft-ietf-keyprov-pskc-02/figure9.pskcxml
yubico/example2.pskcxml draft-ietf-keyprov-pskc-02/figure7.pskcxml misc/SampleFullyQualifiedNS.xml"
count=0 again=0
tab=$(printf '\t')
tail -n +2 "$vectors/MANIFEST.tsv" | grep -E '^(actividentity|draft-|feitian|misc|multiotp|nagraid|yubico)' |
    cut -f 1,3,4 | tr "$tab" '|' >rows
while IFS='|' read -r file kind key; do
    set --
    case $kind in
        key) printf %s "$key" >key && set -- --transport-key-file key ;;
        pw) printf %s "$key" >key && set -- --passphrase-file key ;;
    esac
    count=$((count + 1))
    case $file in
        # For a certificate whose private key nobody has.
        draft-ietf-keyprov-pskc-02/figure6.pskcxml)
            check "$file is for a certificate" refused "no key was given" \
                export "$vectors/$file" --format csv --out list.csv
            continue ;;
        # Keys without secrets, which python-pskc takes and no server can use.
        misc/integers.pskcxml)
            check "$file has no secrets" refused "Secret is missing" \
                inspect "$vectors/$file" "$@"
            continue ;;
    esac
    check "$file: the same keys" same "$vectors/$file" "$@"
    case " $(echo $shared) " in
        *" $file "*) continue ;;
    esac
    # What is no HOTP or TOTP key has no place in the import file of a server.
    cut -d ' ' -f 3 theirs.txt | grep -qvE '^(hotp|totp)$' && continue
    again=$((again + 1))
    check "  and the same again as RFC 6030" again "$vectors/$file" "$@"
done <rows
check "all the files of the manifest were met" test "$count" -eq 38
check "those for servers were written again" test "$again" -eq 21

# What only the permission reads.
printf fe0de6b806c09b762c4b49a666a27b72 >key
check "ActivIdentity: a digest over the plaintext needs the permission" refused \
    "the value cannot be verified under this key" \
    inspect "$vectors/actividentity/test.pskcxml" --transport-key-file key

# The same file in other encodings; the declaration goes with it.
source=$vectors/draft-ietf-keyprov-pskc-02/figure9.pskcxml
for encoding in UTF-16 UTF-16LE UTF-16BE ISO-8859-1 WINDOWS-1252; do
    sed "1s/UTF-8/$encoding/; s/TokenVendorAcme/Clés \& Cie/; s/ & / \&amp; /" "$source" |
        iconv -f UTF-8 -t "$encoding" >"$encoding.xml"
    check "$encoding: the same keys" same "$encoding.xml"
    check "$encoding: with their maker" grep -q '"manufacturer":"Clés & Cie"' ours.json
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

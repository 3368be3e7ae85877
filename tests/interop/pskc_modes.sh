#!/bin/sh
# Every mode of encryption, in both directions where another program has it: python-pskc reads what
# trousseau writes and the other way round, openssl opens the key of a file for certificates, and
# pskctool finds everything that is written valid.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with python-pskc 1.4
# and pskctool and openssl in the path.
# shellcheck source=tests/interop/pskc/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/pskc/lib.sh"
vectors=$(cd "$here/../vectors/custody" && pwd)
mint() { # file, key file, options...
    file=$1 key=$2
    shift 2
    "$TROUSSEAU_BIN" mint --count 20 --serial-prefix M --secret-bytes 24 --manufacturer oath.ACME \
        --transport-key-file "$key" --out "$file" "$@"
}

plain() { # batch: as same, of a file without a key
    ours "$1" | python normalise >ours.txt && python read "$1" >theirs.txt &&
        test -s ours.txt && diff ours.txt theirs.txt
}
known() { # key option, key file, batch: what python-pskc was told to write
    ours "$3" "$1" "$2" | python normalise >ours.txt && python write-plain known.xml &&
        python read known.xml >theirs.txt && diff ours.txt theirs.txt
}
named() { # digest, key option, key file, batch: what inspect says of it
    "$TROUSSEAU_BIN" inspect "$4" "$2" "$3" | grep -qi "$1"
}

key=00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210
for bits in 128 192 256; do
    printf %.$((bits / 4))s $key >$bits.hex
done
printf 'pass words of some length\n' >words

while read -r theirs bits options; do
    # shellcheck disable=SC2086
    check "trousseau writes $theirs" mint "$theirs.xml" $bits.hex $options
    check "  python-pskc reads the same secrets" same --transport-key-file $bits.hex "$theirs.xml"
    check "  pskctool finds it valid" valid "$theirs.xml"
    check "python-pskc writes $theirs" python write "their-$theirs.xml" "$theirs" $bits.hex 24
    check "  trousseau reads the same secrets" \
        same --transport-key-file $bits.hex "their-$theirs.xml"
done <<LIST
aes128-cbc 128 --encryption aes-cbc
aes192-cbc 192 --encryption aes-cbc
aes256-cbc 256 --encryption aes-cbc
kw-aes128 128 --encryption aes-kw
kw-aes192 192 --encryption aes-kw
kw-aes256 256 --encryption aes-kw
tripledes-cbc 192 --encryption tripledes-cbc --legacy
kw-tripledes 192 --encryption tripledes-kw --legacy
camellia128-cbc 128 --encryption camellia-cbc --legacy
camellia192-cbc 192 --encryption camellia-cbc --legacy
camellia256-cbc 256 --encryption camellia-cbc --legacy
kw-camellia128 128 --encryption camellia-kw --legacy
kw-camellia192 192 --encryption camellia-kw --legacy
kw-camellia256 256 --encryption camellia-kw --legacy
LIST

# With secrets of 20 bytes python-pskc writes RFC 5649 under the name of RFC 3394.
check "python-pskc writes kw-aes128 of 20 bytes" python write their-pad.xml kw-aes128 128.hex 20
check "  trousseau reads the same secrets" same --transport-key-file 128.hex their-pad.xml

for hash in sha1 sha224 sha256 sha384 sha512; do
    check "trousseau writes HMAC-$hash" mint mac-$hash.xml 128.hex --mac hmac-$hash
    check "  python-pskc reads the same secrets" same --transport-key-file 128.hex mac-$hash.xml
    check "  pskctool finds it valid" valid mac-$hash.xml
    check "trousseau writes PBKDF2 with HMAC-$hash" "$TROUSSEAU_BIN" mint --count 5 \
        --serial-prefix P --passphrase-file words --prf hmac-$hash --out prf-$hash.xml
    check "  python-pskc reads the same secrets" same --passphrase-file words prf-$hash.xml
    check "  pskctool finds it valid" valid prf-$hash.xml
done

for hash in sha224 sha256 sha384 sha512; do
    check "python-pskc writes HMAC-$hash" python write-mac their-mac-$hash.xml hmac-$hash 128.hex
    check "  trousseau reads the same secrets" \
        same --transport-key-file 128.hex their-mac-$hash.xml
    check "  and finds that MAC in it" named HMAC-$hash --transport-key-file 128.hex \
        their-mac-$hash.xml
    check "python-pskc writes PBKDF2 with HMAC-$hash" \
        python write-pbkdf2 their-prf-$hash.xml words hmac-$hash
    # Not python-pskc itself: it writes the PRF where its own reader does not look for it.
    check "  trousseau reads the secrets" known --passphrase-file words their-prf-$hash.xml
    check "  and finds that PRF in it" named HMAC-$hash --passphrase-file words their-prf-$hash.xml
done

# In clear, which trousseau writes for multiOTP alone.
check "trousseau writes secrets in clear" "$TROUSSEAU_BIN" export aes128-cbc.xml \
    --transport-key-file 128.hex --format pskc --for multiotp --out plain.xml
check "  python-pskc reads the same secrets" plain plain.xml
check "  pskctool finds it valid" valid plain.xml
check "python-pskc writes secrets in clear" python write-plain their-plain.xml
check "  trousseau reads the same secrets" plain their-plain.xml

for receiver in generic privacyidea linotp freeipa watchguard; do
    check "trousseau writes for $receiver" mint for-$receiver.xml 128.hex --for $receiver
    check "  python-pskc reads the same secrets" same --transport-key-file 128.hex for-$receiver.xml
    check "  pskctool finds it valid" valid for-$receiver.xml
    test $receiver = watchguard && continue
    check "trousseau writes for $receiver under a passphrase" "$TROUSSEAU_BIN" mint --count 5 \
        --serial-prefix P --hash sha256 --passphrase-file words --for $receiver \
        --out words-$receiver.xml
    check "  python-pskc reads the same secrets" same --passphrase-file words words-$receiver.xml
    check "  pskctool finds it valid" valid words-$receiver.xml
done

for encryption in aes-gcm aes-kw-pad; do
    for bits in 128 192 256; do
        check "trousseau writes $encryption $bits" mint $encryption-$bits.xml $bits.hex \
            --encryption $encryption
        check "  pskctool finds it valid" valid $encryption-$bits.xml
    done
done

# The key of the values, as openssl opens it, is the key under which the values are.
check "trousseau writes for two certificates" "$TROUSSEAU_BIN" mint --count 5 --serial-prefix C \
    --recipient "$vectors/recipient.crt" --recipient "$vectors/other.crt" --out certified.xml
check "  pskctool finds it valid" valid certified.xml
opens() { # number of the recipient, its private key
    grep -o '<xenc:CipherValue>[^<]*' certified.xml | sed -n "$1s/.*>//p" | base64 -d |
        openssl pkeyutl -decrypt -inkey "$2" -pkeyopt rsa_padding_mode:oaep \
            -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha1 | od -An -v -tx1 |
        tr -d ' \n' >content.hex &&
        # What is left without its recipients is a file under a transport key.
        sed 's|<xenc:EncryptedKey>.*</xenc:EncryptedKey>|<ds:KeyName>content</ds:KeyName>|' \
            certified.xml >content.xml &&
        ours content.xml --transport-key-file content.hex >one.txt &&
        ours certified.xml --private-key-file "$2" >other.txt &&
        test -s one.txt && diff one.txt other.txt
}
check "  openssl opens the first copy of its key" opens 1 "$vectors/recipient.key"
check "  openssl opens the second copy of its key" opens 2 "$vectors/other.key"

closing

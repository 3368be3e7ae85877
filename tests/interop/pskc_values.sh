#!/bin/sh
# The modes that python-pskc has not, against the Python package cryptography (OpenSSL's code), in
# both directions: AES-GCM, RFC 5649, RSA-OAEP and RSA 1.5 per value, and whole files for certificates.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with cryptography (python-pskc brings it)
# shellcheck source=tests/interop/pskc/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/pskc/lib.sh"
vectors=$(cd "$here/../vectors/custody" && pwd)
python() { "$TROUSSEAU_VENV/bin/python" "$here/pskc_values_peer.py" "$@"; }
ours() { # file, key option, key file
    "$TROUSSEAU_BIN" inspect --json --reveal-secrets "$1" "$2" "$3" | python normalise
}
they_read() { # file, key option, key file
    ours "$1" "$2" "$3" >ours.txt && python read "$1" "$3" >theirs.txt &&
        test -s ours.txt && diff ours.txt theirs.txt
}
we_read() { # file, mode, key to write with, key option, key file
    python write "$1" "$2" "$3" >theirs.txt && ours "$1" "$4" "$5" >ours.txt &&
        test -s ours.txt && diff ours.txt theirs.txt
}
mint() { # file, options...
    file=$1
    shift
    "$TROUSSEAU_BIN" mint --count 20 --serial-prefix M --out "$file" "$@"
}

key=00112233445566778899aabbccddeeff0123456789abcdeffedcba9876543210
for bits in 128 192 256; do
    printf %.$((bits / 4))s $key >$bits.hex
    for mode in gcm kwp; do
        option=aes-gcm
        test $mode = kwp && option=aes-kw-pad
        check "trousseau writes $mode $bits" mint $mode$bits.xml --transport-key-file $bits.hex \
            --encryption $option
        check "  cryptography reads the same secrets" \
            they_read $mode$bits.xml --transport-key-file $bits.hex
        check "cryptography writes $mode $bits, trousseau reads the same secrets" \
            we_read their-$mode$bits.xml $mode $bits.hex --transport-key-file $bits.hex
    done
done

check "trousseau writes for two certificates" mint certified.xml \
    --recipient "$vectors/recipient.crt" --recipient "$vectors/other.crt"
for name in recipient other; do
    check "  cryptography reads the same secrets with the key of $name" \
        they_read certified.xml --private-key-file "$vectors/$name.key"
done

for mode in rsa-1_5 rsa-oaep-mgf1p/sha1/sha1 rsa-oaep-mgf1p/sha256/sha1 \
    rsa-oaep-mgf1p/sha512/sha1 rsa-oaep/sha224/sha224 rsa-oaep/sha256/sha256 \
    rsa-oaep/sha384/sha384 rsa-oaep/sha512/sha512 rsa-oaep/sha256/sha1; do
    check "cryptography writes $mode, trousseau reads the same secrets" \
        we_read rsa.xml "$mode" "$vectors/recipient.crt" --private-key-file "$vectors/recipient.key"
done

closing

#!/bin/sh
# What trousseau mints, python-pskc reads with the same secrets and pskctool finds valid; what
# python-pskc writes, trousseau reads with the same secrets.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with python-pskc 1.4
# and pskctool (Debian package pskctool) in the path.
# shellcheck source=tests/interop/pskc/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/pskc/lib.sh"

printf 00112233445566778899aabbccddeeff >aes128.hex
printf 00112233445566778899aabbccddeeff0011223344556677 >aes192.hex
printf 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff >aes256.hex
printf 'pässwörd with blanks\n' >words

for bits in 128 192 256; do
    for algorithm in totp hotp; do
        batch=$algorithm-$bits.xml
        check "mint $algorithm AES-$bits-CBC" "$TROUSSEAU_BIN" mint --count 50 \
            --serial-prefix ACME --serial-width 8 --algorithm $algorithm \
            --manufacturer oath.ACME --model 'K<60> & co' --issuer Université \
            --transport-key-file aes$bits.hex --out "$batch"
        check "  python-pskc reads the same secrets" same --transport-key-file aes$bits.hex "$batch"
        check "  pskctool finds it valid" valid "$batch"
    done
done
check "mint PBKDF2" "$TROUSSEAU_BIN" mint --count 50 --serial-prefix P --hash sha256 \
    --secret-bytes 32 --passphrase-file words --out pbkdf2.xml
check "  python-pskc reads the same secrets" same --passphrase-file words pbkdf2.xml
check "  pskctool finds it valid" valid pbkdf2.xml
check "mint AES-128-GCM" "$TROUSSEAU_BIN" mint --count 50 --serial-prefix G \
    --encryption aes-gcm --transport-key-file aes128.hex --out gcm.xml
check "  pskctool finds it valid" valid gcm.xml

for algorithm in aes128-cbc aes192-cbc aes256-cbc; do
    bits=${algorithm#aes}
    bits=${bits%-cbc}
    check "python-pskc writes $algorithm" python write their-$bits.xml $algorithm aes$bits.hex
    check "  trousseau reads the same secrets" same --transport-key-file aes$bits.hex their-$bits.xml
done
check "python-pskc writes PBKDF2" python write-pbkdf2 their-pbkdf2.xml words
check "  trousseau reads the same secrets" same --passphrase-file words their-pbkdf2.xml

closing

/* The yardstick for minting: a plain, single-threaded C program on OpenSSL that writes such a batch
 * as `trousseau mint` does by default (AES-128-CBC, HMAC-SHA1), with no check of anything. Its files
 * are read by `trousseau inspect`.
 *
 *   cc -O2 plain_writer.c -lcrypto -o plain_writer
 *   plain_writer KEYS KEYFILE        KEYFILE: 32 hexadecimal digits
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CBC "<xenc:EncryptionMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#aes128-cbc\"/>"
enum { SEED = 20, SEEDS = 4096, SEALED = 16 + 32 };

static EVP_CIPHER_CTX *cipher;

/* IV and ciphertext of `length` bytes under the key that `cipher` has. */
static int seal(const unsigned char *iv, const unsigned char *plain, int length, unsigned char *out)
{
    int first = 0, last = 0;
    memcpy(out, iv, 16);
    if (!EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv)
        || !EVP_EncryptUpdate(cipher, out + 16, &first, plain, length)
        || !EVP_EncryptFinal_ex(cipher, out + 16 + first, &last))
        exit(1);
    return 16 + first + last;
}

int main(int argc, char **argv)
{
    unsigned char key[16], mac_key[20], iv[16], out[64], text[128], digest[20];
    static unsigned char fresh[SEEDS * (SEED + 16)];
    static char buffer[1 << 18];
    FILE *file = argc == 3 ? fopen(argv[2], "r") : NULL;
    HMAC_CTX *hmac = HMAC_CTX_new();
    unsigned size;
    long keys, number;
    int length;

    for (length = 0; file && length < 16; length++)
        if (fscanf(file, "%2hhx", &key[length]) != 1)
            file = NULL;
    if (!file)
        return fprintf(stderr, "usage: plain_writer KEYS KEYFILE\n"), 2;
    keys = atol(argv[1]);
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    cipher = EVP_CIPHER_CTX_new();
    if (RAND_bytes(mac_key, sizeof mac_key) != 1 || RAND_bytes(iv, sizeof iv) != 1
        || !EVP_EncryptInit_ex(cipher, EVP_aes_128_cbc(), NULL, key, iv)
        || !HMAC_Init_ex(hmac, mac_key, sizeof mac_key, EVP_sha1(), NULL))
        return 1;
    length = seal(iv, mac_key, sizeof mac_key, out);
    EVP_EncodeBlock(text, out, length);
    printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<KeyContainer Version=\"1.0\" xmlns=\"urn:ietf:params:xml:ns:keyprov:pskc\" "
           "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" "
           "xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\">\n"
           "<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>\n"
           "<MACMethod Algorithm=\"http://www.w3.org/2000/09/xmldsig#hmac-sha1\"><MACKey>" CBC
           "<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData></MACKey>"
           "</MACMethod>\n", text);
    for (number = 0; number < keys; number++) {
        unsigned char *seed = fresh + number % SEEDS * (SEED + 16);
        if (number % SEEDS == 0 && RAND_bytes(fresh, sizeof fresh) != 1)
            return 1;
        length = seal(seed + SEED, seed, SEED, out);
        if (!HMAC_Init_ex(hmac, NULL, 0, NULL, NULL) || !HMAC_Update(hmac, out, length)
            || !HMAC_Final(hmac, digest, &size))
            return 1;
        EVP_EncodeBlock(text, out, length);
        printf("<KeyPackage><DeviceInfo><Manufacturer>oath.ACME</Manufacturer>"
               "<SerialNo>ACME%08ld</SerialNo><Model>K60</Model></DeviceInfo>"
               "<Key Id=\"ACME%08ld\" Algorithm=\"urn:ietf:params:xml:ns:keyprov:pskc:totp\">"
               "<AlgorithmParameters><ResponseFormat Length=\"6\" Encoding=\"DECIMAL\"/>"
               "</AlgorithmParameters><Data><Secret><EncryptedValue>" CBC
               "<xenc:CipherData><xenc:CipherValue>%s</xenc:CipherValue></xenc:CipherData>"
               "</EncryptedValue>", number + 1, number + 1, text);
        EVP_EncodeBlock(text, digest, size);
        printf("<ValueMAC>%s</ValueMAC></Secret><TimeInterval><PlainValue>60</PlainValue>"
               "</TimeInterval></Data></Key></KeyPackage>\n", text);
    }
    printf("</KeyContainer>\n");
    return fflush(stdout) || ferror(stdout);
}

#!/bin/sh
# Makes the test keys anew. They secure nothing; vectors that hold them have to be made anew as well.
# NAME.pem is a private key, NAME.pub.pem its public half, other/ another pair of the same kind.
set -eu
cd -- "$(dirname -- "$0")"
mkdir -p other
for folder in . other; do
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$folder/rsa.pem"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$folder/p256.pem"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out "$folder/p384.pem"
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:SM2 -out "$folder/sm2.pem"
    openssl genpkey -algorithm ED25519 -out "$folder/ed25519.pem"
    for key in rsa p256 p384 sm2 ed25519; do
        openssl pkey -in "$folder/$key.pem" -pubout -out "$folder/$key.pub.pem"
    done
done
# A certificate of the RSA key, for schemes that find keys by a certificate's serial number.
openssl req -x509 -new -key rsa.pem -sha256 -days 36500 -set_serial 0x5157F09EFDC096DE15EBE81A47057A72 \
    -subj "/O=Countersign/CN=test key" -out rsa.crt.pem

#!/bin/sh
# Signs the driver and its self-test with a certificate of your own, for machines with test signing on. Needs openssl and osslsigncode.
# The key and the certificate are made once, as psctx.key and psctx.crt; keep the key to yourself.
set -eu
cd "$(dirname "$0")"
if [ ! -f psctx.crt ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -days 365 -subj '/CN=psctx test' -addext extendedKeyUsage=codeSigning \
    -keyout psctx.key -out psctx.crt
fi
for image in psctx.sys psctx-minifilter.sys psctx-selftest.exe; do
  osslsigncode sign -h sha256 -certs psctx.crt -key psctx.key -in "$image" -out "$image.signed"
  mv "$image.signed" "$image"
done

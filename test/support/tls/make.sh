#!/bin/sh
# Makes the certificates beside it again, with openssl: an authority, a server and a client of its, and a client that
# nobody vouches for. They are valid for a hundred years, known to everybody and good for tests on this machine alone.
set -e
cd "$(dirname "$0")"
make() {
  name=$1; shift
  openssl req -new -newkey "$@" -nodes -keyout "$name-key.pem" -out request.pem -batch -utf8
  openssl x509 -req -in request.pem -days 36500 -out "$name.pem" -extfile extensions.txt $issuer
}
ec="ec -pkeyopt ec_paramgen_curve:prime256v1"
issuer="-signkey authority-key.pem"
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' > extensions.txt
make authority $ec -subj "/O=Postern Tests/CN=Test Authority"
issuer="-CA authority.pem -CAkey authority-key.pem -set_serial 0x1001"
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > extensions.txt
make server $ec -subj "/O=Postern Tests/CN=localhost"
issuer="-CA authority.pem -CAkey authority-key.pem -set_serial 0xABCDEF01"
printf 'subjectAltName=email:ann@example.test,DNS:ann.example.test\nextendedKeyUsage=clientAuth\nauthorityInfoAccess=OCSP;URI:http://ocsp.example.test/,caIssuers;URI:http://ca.example.test/ca.crt\n' > extensions.txt
make client rsa:2048 -subj "/C=JP/O=Postern Tests/OU=First/OU=Second/CN=Ann Müller"
issuer="-signkey stranger-key.pem"
printf 'extendedKeyUsage=clientAuth\n' > extensions.txt
make stranger $ec -subj "/CN=Stranger"
rm -f request.pem extensions.txt authority-key.pem

#!/usr/bin/env bash
# A census of servers in Debian by the functions with which they accept connections and receive.
#
# usage: bash data/reference/census/census.sh > data/reference/census/census.tsv
#
# Downloads each package with apt-get, unpacks it without installing it, and lists the accepting and receiving functions of
# libc that the server and its event library import (`nm -D --undefined-only`). Needs apt-get, dpkg-deb and nm (binutils).
# Columns: package, version, program, accepting functions, receiving functions.
#
# An import is a possibility, not a use. Nearly every program imports `read`, for files. A server that imports `accept4` and not
# `accept` has no accepted socket that a hook of `accept` and `read` knows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cd "$work"
# Package, program within it, packages of the libraries by which it accepts or receives.
servers='
apache2-bin usr/sbin/apache2 libapr1
bind9 usr/sbin/named bind9-libs libuv1
coturn usr/bin/turnserver libevent-2.1-7
dnsmasq-base usr/sbin/dnsmasq
dovecot-core usr/sbin/dovecot
exim4-daemon-light usr/sbin/exim4
h2o usr/bin/h2o
haproxy usr/sbin/haproxy
hitch usr/sbin/hitch libev4
knot usr/sbin/knotd
lighttpd usr/sbin/lighttpd
mariadb-server-core usr/sbin/mariadbd
memcached usr/bin/memcached libevent-2.1-7
mini-httpd usr/sbin/mini_httpd
mosquitto usr/sbin/mosquitto libwebsockets17
nghttp2-proxy usr/sbin/nghttpx libev4
nginx usr/sbin/nginx
ngircd usr/sbin/ngircd
openssh-server usr/sbin/sshd
postfix usr/lib/postfix/sbin/smtpd
postgresql-15 usr/lib/postgresql/15/bin/postgres
proftpd-core usr/sbin/proftpd
redis-tools usr/bin/redis-check-rdb
slapd usr/sbin/slapd
socat usr/bin/socat
squid usr/sbin/squid
sslh usr/sbin/sslh
stunnel4 usr/bin/stunnel4
tinyproxy-bin usr/bin/tinyproxy
trafficserver usr/bin/traffic_server
unbound usr/sbin/unbound libevent-2.1-7
uwsgi-core usr/bin/uwsgi-core
varnish usr/sbin/varnishd
vsftpd usr/sbin/vsftpd
webfs usr/bin/webfsd
'
accepting='^(accept|accept4)$'
receiving='^(read|readv|recv|recvfrom|recvmsg|recvmmsg|__read_chk|__recv_chk|__recvfrom_chk|preadv2|splice)$'
joined() { grep -E "$1" imports | sort -u | paste -sd ' ' || true; }

printf 'package\tversion\tprogram\taccepts\treceives\n'
while read -r package program libraries; do
    [ -n "$package" ] || continue
    for one in $package $libraries; do
        [ -d "$one" ] && continue
        apt-get download "$one" > /dev/null 2>&1
        dpkg-deb -x "$one"_*.deb "$one"
    done
    {
        nm -D --undefined-only "$package/$program"
        for one in $package $libraries; do
            # The package's own shared objects, and those of its event library.
            find "$one" -name '*.so*' -type f -exec nm -D --undefined-only {} + 2> /dev/null || true
        done
    } | sed -n 's/^ *U \([A-Za-z0-9_]*\)@.*/\1/p' > imports
    version=$(dpkg-deb -f "$package"_*.deb Version)
    printf '%s\t%s\t%s\t%s\t%s\n' "$package" "$version" "$program" "$(joined "$accepting")" "$(joined "$receiving")"
done <<< "$servers"

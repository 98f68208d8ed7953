# The PostgreSQL of the chat servers, on a machine outside the cluster, with TLS, as the production overlay wants it.
# shellcheck shell=bash

start_store() {
  local bin folder=/run/store password=$world/store_password
  bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
  mkdir "$folder"
  od -An -v -N 24 -t x1 /dev/urandom | tr -d ' \n' >"$password"
  cp "$world/certificates/store.crt" "$world/certificates/store.key" "$password" "$folder"
  chmod 600 "$folder"/*
  chown -R postgres:postgres "$folder"
  local as=(setpriv --reuid postgres --regid postgres --clear-groups)
  (
    cd "$folder"
    "${as[@]}" "$bin/initdb" --pgdata=data --username=hubbub --pwfile=store_password --auth-local=trust --auth-host=scram-sha-256 \
      --encoding=UTF8 --locale=C --no-sync --no-instructions >"$world/logs/store-initdb.log" 2>&1 ||
      fail "PostgreSQL's files cannot be made: see $world/logs/store-initdb.log"
    echo 'hostssl all all all scram-sha-256' >>data/pg_hba.conf
    echo 'CREATE DATABASE hubbub' | "${as[@]}" "$bin/postgres" --single -D data postgres >>"$world/logs/store-initdb.log" 2>&1
  )
  launch store at store "${as[@]}" "$bin/postgres" -D "$folder/data" -c listen_addresses="$store_address" \
    -c unix_socket_directories="$folder" -c fsync=off -c ssl=on -c ssl_cert_file="$folder/store.crt" -c ssl_key_file="$folder/store.key"
  await 60 "PostgreSQL" at store "$bin/pg_isready" --quiet --host="$store_address"
}

# What deploy/README.md, "PostgreSQL", has an operator make.
make_store_secret() {
  kubectl create secret generic hubbub-store --from-literal=host="$store_address:5432" --from-literal=user=hubbub \
    --from-file=password="$world/store_password" --from-file=ca.crt="$world/certificates/ca.crt" >/dev/null
}
